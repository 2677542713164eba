// The language server `querylint lsp` in Visual Studio Code. All findings, texts and edits are the server's.
"use strict";

const { execFile } = require("node:child_process");
const { mkdir, readFile } = require("node:fs/promises");
const { homedir } = require("node:os");
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const LANGUAGES = ["typescript", "typescriptreact", "javascript", "javascriptreact", "python"];
const STARTING = ["querylint.path", "querylint.args"];
const MOST_OUTPUT = 1 << 20;

let client;
let output;

/** The settings that count for the first folder: one server looks after all of them. */
function settings() {
  return vscode.workspace.getConfiguration("querylint", vscode.workspace.workspaceFolders?.[0]?.uri);
}

/** The command as the settings have it, with the folder and the home put in. */
function command() {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  return settings().get("path", "querylint").replace("${workspaceFolder}", folder).replace(/^~(?=$|[\\/])/, homedir());
}

/** Changes of buffers that wait for a file to be saved, the last one of each: it holds the whole text. */
class Waiting {
  constructor() {
    this.changes = new Map();
  }

  middleware() {
    return {
      didChange: async (event, next) => {
        if (settings().get("run") !== "onSave") {
          return next(event);
        }
        this.changes.set(event.document.uri.toString(), () => next(event));
      },
      didSave: async (document, next) => {
        await this.send(document);
        return next(document);
      },
      didClose: (document, next) => {
        this.changes.delete(document.uri.toString());
        return next(document);
      },
      provideCodeActions: async (document, range, context, token, next) => {
        // The editor asks by itself wherever the cursor rests; only who asks for the actions wants them for a text that is not saved.
        if (context.triggerKind === vscode.CodeActionTriggerKind.Automatic && this.changes.has(document.uri.toString())) {
          return [];
        }
        await this.send(document);
        return next(document, range, context, token);
      },
    };
  }

  async send(document) {
    const key = document.uri.toString();
    const change = this.changes.get(key);
    this.changes.delete(key);
    await change?.();
  }
}

async function start() {
  try {
    await run(["--version"]); // the library would complain in words of its own
  } catch (error) {
    return complain(error);
  }
  const server = { command: command(), args: settings().get("args", ["lsp"]), options: { cwd: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath } };
  client = new LanguageClient("querylint", "querylint", server, {
    documentSelector: LANGUAGES.map((language) => ({ scheme: "file", language })),
    outputChannel: output,
    initializationOptions: { diagnosticsInHover: true },
    middleware: new Waiting().middleware(),
    initializationFailedHandler: () => false,
  });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    await complain(error);
  }
}

/** Say why nothing runs, and where that can be mended. */
async function complain(error) {
  output.error(String(error));
  const what = error.code === "ENOENT" ? `\`${command()}\` was not found.` : `\`${command()}\` did not start as a language server.`;
  const how = "Install querylint with its extra `lsp`, and set its full path in the setting `querylint.path`.";
  const chosen = await vscode.window.showErrorMessage(`querylint: ${what} ${how}`, "Open Settings", "Show Output");
  if (chosen === "Open Settings") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "querylint.path");
  } else if (chosen === "Show Output") {
    output.show();
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop().catch((error) => output.error(String(error)));
}

async function restart() {
  await stop();
  await start();
}

/** The project that the report is about: that of the file one looks at, else the only one, else whichever is chosen. */
async function reported() {
  const here = vscode.window.activeTextEditor?.document.uri;
  const holding = here && vscode.workspace.getWorkspaceFolder(here);
  return holding ?? (vscode.workspace.workspaceFolders?.length === 1 ? vscode.workspace.workspaceFolders[0] : vscode.window.showWorkspaceFolderPick());
}

async function showReport(context) {
  const folder = await reported();
  if (!folder) {
    return;
  }
  const place = (context.storageUri ?? context.globalStorageUri).fsPath;
  const file = path.join(place, "report.html");
  const progress = { location: vscode.ProgressLocation.Notification, title: `querylint: the report on ${folder.name}` };
  try {
    await mkdir(place, { recursive: true });
    await vscode.window.withProgress(progress, () => run(["report", "-o", file], folder.uri.fsPath));
    const panel = vscode.window.createWebviewPanel("querylint.report", `querylint: ${folder.name}`, vscode.ViewColumn.Active, {
      enableScripts: true,
      enableFindWidget: true,
      localResourceRoots: [],
    });
    panel.webview.html = await readFile(file, "utf8");
  } catch (error) {
    output.error(String(error));
    vscode.window.showErrorMessage(`querylint: the report failed: ${String(error.message ?? error)}`);
  }
}

/** Run the command. Findings make it end with 1, which is no failure. */
function run(args, cwd) {
  return new Promise((resolve, reject) => {
    execFile(command(), args, { cwd, maxBuffer: MOST_OUTPUT }, (error, _, said) => {
      if (error && error.code !== 1) {
        reject(Object.assign(new Error(said.trim() || error.message), { code: error.code }));
      } else {
        resolve();
      }
    });
  });
}

async function activate(context) {
  output = vscode.window.createOutputChannel("querylint", { log: true });
  context.subscriptions.push(
    output,
    vscode.commands.registerCommand("querylint.restart", restart),
    vscode.commands.registerCommand("querylint.showReport", () => showReport(context)),
    vscode.workspace.onDidChangeConfiguration((event) => (STARTING.some((name) => event.affectsConfiguration(name)) ? restart() : undefined)),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
