// A host for the extension that has every name of `vscode`, and does nothing but note down commands and complaints.
"use strict";

const Module = require("node:module");

const told = { commands: [], complaints: [] };

/** Whatever one asks it for: a class, a function, an empty list, a text. */
const anything = new Proxy(class {}, {
  get(it, name) {
    if (name === Symbol.toPrimitive) return () => "";
    if (name === Symbol.iterator) return function* () {};
    if (name === "then" || name === "languages" || name === "filters") return undefined;
    return name === "prototype" ? it.prototype : anything;
  },
  apply: () => anything,
  construct: (it, args, made) => (made === anything ? anything : Reflect.construct(it, args, made)),
});

/** An object with these members, and with any other. */
function having(members) {
  return new Proxy(members, { get: (it, name) => (name in it ? it[name] : anything) });
}

const settings = { get: (name, otherwise) => (name === "path" ? "/not/there" : otherwise) };
const vscode = having({
  version: "1.99.0",
  workspace: having({ workspaceFolders: undefined, notebookDocuments: [], textDocuments: [], getConfiguration: () => settings }),
  window: having({ showErrorMessage: async (text) => void told.complaints.push(text) }),
  commands: having({ registerCommand: (name) => told.commands.push(name) }),
});

const load = Module._load;
Module._load = (name, ...rest) => (name === "vscode" ? vscode : load(name, ...rest));

const extension = require(process.argv[2]);
extension.activate({ subscriptions: [] }).then(() => {
  console.log(JSON.stringify(told));
  process.exit(0);
});
setTimeout(() => process.exit(9), 20000);
