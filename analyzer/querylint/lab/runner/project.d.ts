/** What `build.mjs` puts together for each bundle: the modules of the project, and its schema. */
declare module "lab:project" {
  export const modules: Record<string, () => Promise<Record<string, unknown>>>;
  export const schema: () => Promise<unknown>;
}

declare module "node:async_hooks" {
  export class AsyncLocalStorage<T> {
    run<R>(store: T, work: () => R): R;
    getStore(): T | undefined;
  }
}
