/** The world as the code on trial sees it: a clock that stands still, dice that fall the same way, timers of its own, and no way out. */
type Host = { turn(then: () => void): void; elapsed(): number; subtle: unknown };

const host = (globalThis as unknown as { lab: Host }).lab;
const global = globalThis as unknown as Record<string, unknown>;

/** Milliseconds of doing nothing after which a run is given up, and how much of one turn counts at most. */
const PATIENCE = 1000;
const BUSY = 5;

export const START = 1_700_000_000_000;
export const clock = { now: START };

/** What the code on trial has reached for that lies outside; nothing is held against what modules do while they are loaded. */
export const outside = { running: false, touched: "" };

/** The marks in changed code that the function on trial has come to. */
export const reached = new Set<number>();

const missing = new WeakMap<object, string>();
let state = 0;
let timers: { id: number; at: number; every: number | null; run: () => void }[] = [];
let timer = 0;

/** Why a value is only the place of something that is not here, or null for any other value. */
export function absence(value: unknown): string | null {
  return typeof value === "function" ? (missing.get(value) ?? null) : null;
}

export function reseed(seed: number): void {
  state = seed;
}

/** A number from 0 to below 1 (mulberry32). */
function roll(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

function reach(what: string): void {
  if (!outside.running) return;
  outside.touched ||= what;
  throw new Error(`out of reach: ${what}`);
}

/** Stands for something that is not here: it can be passed around while modules are loaded, and is refused while a function runs. */
function nothing(what: string): unknown {
  const stands: any = new Proxy(function () {}, {
    get(target, key, receiver) {
      if (key === "then" || key === "__esModule" || key === Symbol.toPrimitive || key === Symbol.iterator) return undefined;
      if (key === "prototype") return Reflect.get(target, key, receiver);
      reach(what);
      return stands;
    },
    apply: () => (reach(what), stands),
    construct: () => (reach(what), stands),
    getPrototypeOf: () => stands,
  });
  missing.set(stands, what);
  return stands;
}

/** Do something when all that can go on without waiting has gone on. */
export function turn(then: () => void): void {
  host.turn(then);
}

/** Forget every timer: whoever has set them is done. */
export function still(): void {
  timers = [];
}

/**
 * Wait until a promise has settled, moving the clock on to the next timer wherever everything waits. A run that does nothing for a second
 * is given up; `progress` tells how much it has done so far, where it is known.
 */
export async function settled(promise: Promise<unknown>, progress: () => number = () => 0): Promise<void> {
  let done = false;
  void promise.then(
    () => (done = true),
    () => (done = true),
  );
  let before = 0;
  let idle = 0;
  for (let last = host.elapsed(); !done; ) {
    await new Promise<void>((then) => host.turn(then));
    const [now, so] = [host.elapsed(), progress()];
    idle += Math.min(BUSY, now - last); // a longer turn has not waited but worked
    if (!done && (fire() || so !== before)) idle = 0;
    [last, before] = [now, so];
    if (!done && idle > PATIENCE) {
      outside.touched ||= "something that it waits for never comes";
      return;
    }
  }
}

function fire(): boolean {
  const next = timers.reduce<(typeof timers)[number] | null>((first, one) => (first === null || one.at < first.at ? one : first), null);
  if (next === null) return false;
  clock.now = Math.max(clock.now, next.at);
  if (next.every === null) timers = timers.filter((one) => one !== next);
  else next.at += Math.max(1, next.every);
  next.run();
  return true;
}

function later(every: boolean) {
  return (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): number => {
    timers.push({ id: ++timer, at: clock.now + Math.max(0, ms), every: every ? ms : null, run: () => run(...args) });
    return timer;
  };
}

function never(id: number): void {
  timers = timers.filter((one) => one.id !== id);
}

class Clock extends Date {
  constructor(...parts: unknown[]) {
    if (parts.length === 0) super(clock.now);
    else super(...(parts as [number]));
  }

  static override now(): number {
    return clock.now;
  }
}

Math.random = roll;
Object.assign(global, {
  global: globalThis,
  self: globalThis,
  Date: Clock,
  setTimeout: later(false),
  setInterval: later(true),
  clearTimeout: never,
  clearInterval: never,
  performance: { now: () => clock.now - START, timeOrigin: START },
  process: { env: { NODE_ENV: "production", CONVEX_CLOUD_URL: "https://lab.convex.cloud", CONVEX_SITE_URL: "https://lab.convex.site" } },
  console: Object.fromEntries(["log", "info", "warn", "error", "debug", "trace", "time", "timeEnd", "assert", "table"].map((name) => [name, () => undefined])),
  crypto: {
    subtle: host.subtle,
    randomUUID: () => "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => Math.floor(roll() * 16).toString(16)),
    getRandomValues(into: Uint8Array) {
      for (let at = 0; at < into.length; at++) into[at] = Math.floor(roll() * 256);
      return into;
    },
  },
  nothing,
  reached: (mark: number) => void reached.add(mark),
});
for (const name of ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"]) global[name] = nothing("the network");
delete global.lab;
