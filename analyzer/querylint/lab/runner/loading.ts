/** The functions of the project, and its schema; what cannot be loaded is refused, with the reason. */
import { modules, schema as load } from "lab:project";
import { absence } from "./world";

export type Registered = { isQuery?: true; isMutation?: true; isAction?: true; exportArgs(): string };

export class Refusal extends Error {}

export async function registered(path: string): Promise<Registered> {
  const [file, name] = path.split(":") as [string, string];
  const load = Object.entries(modules).find(([key]) => key.replace(/^\.\/convex\/|\.[cm]?[jt]sx?$/g, "") === file)?.[1];
  if (load === undefined) throw new Refusal(`there is no module \`${file}\``);
  const fn = await loaded(`\`${file}\``, async () => (await load())[name]);
  const absent = absence(fn);
  if (absent !== null) throw new Refusal(`it is made by ${absent}`);
  if (typeof fn !== "function" || !("exportArgs" in fn)) throw new Refusal(`\`${path}\` is no registered function`);
  return fn as unknown as Registered;
}

export async function schemaOf(): Promise<any> {
  const schema = (await loaded("the schema", load)) as any;
  if (schema === null || typeof schema !== "object" || typeof schema.tables !== "object") throw new Refusal("there is no schema to make documents from");
  return schema;
}

async function loaded<T>(what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (problem) {
    throw new Refusal(`${what} cannot be loaded: ${messageOf(problem)}`);
  }
}

export function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
