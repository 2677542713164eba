/** Documents and arguments drawn from validators: small pools, so that keys are equal; gaps, nulls and mixed types where they are allowed. */
import type { GenericId } from "convex/values";

export type Json =
  | { type: "null" | "number" | "bigint" | "boolean" | "string" | "bytes" | "any" }
  | { type: "literal"; value: unknown }
  | { type: "id"; tableName: string }
  | { type: "array"; value: Json }
  | { type: "record"; keys: Json; values: { fieldType: Json; optional: boolean } }
  | { type: "object"; value: Record<string, { fieldType: Json; optional: boolean }> }
  | { type: "union"; value: Json[] };

export type Fields = Record<string, { fieldType: Json; optional: boolean }>;

const STRINGS = ["", "a", "b", "ab", "é", "zz", "10"];
const NUMBERS = [-1, 0, -0, 1, 2, 3, 10, 1.5, NaN, Infinity];
const ANYTHING = [null, true, 0, 1, "a", "", [], [1], {}, { a: 1 }];
export const DAY = 86_400_000;
const DAYS = [-400, -31, -7, -1, -0.01, 0, 0.01, 1, 7, 31];
export const TIME = /(^|[a-z_])(at|time|timestamp|date|since|until|from|to|start|end|expiry|expires|deadline|for|now)$/i;

export class Random {
  /** `odd` lets numbers be NaN and -0, which JavaScript and an index compare in different ways; `words` are texts that the code compares with. */
  constructor(
    private state: number,
    private odd: boolean,
    private words: readonly string[],
    private now: number,
  ) {}

  /** A number from 0 to below 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  value(type: Json, ids: (table: string) => GenericId<string>, name = ""): unknown {
    switch (type.type) {
      case "null":
        return null;
      case "number":
        if (TIME.test(name) && this.next() < 0.7) return this.time();
        return this.pick(this.odd ? NUMBERS : NUMBERS.filter((n) => !Object.is(n, -0) && !Number.isNaN(n)));
      case "bigint":
        return BigInt(this.below(4));
      case "boolean":
        return this.next() < 0.5;
      case "string":
        if (TIME.test(name) && this.next() < 0.7) return new Date(this.time()).toISOString();
        return this.words.length > 0 && this.next() < 0.5 ? this.pick(this.words) : this.pick(STRINGS);
      case "bytes":
        return new Uint8Array([this.below(3)]).buffer;
      case "any":
        return this.pick(ANYTHING);
      case "literal":
        return type.value;
      case "id":
        return ids(type.tableName);
      case "union":
        return this.value(this.pick(type.value), ids, name);
      case "array":
        return Array.from({ length: this.pick([0, 1, 1, 2, 3, 5]) }, () => this.value(type.value, ids));
      case "record":
        return {};
      case "object":
        return this.fields(type.value, ids);
    }
  }

  fields(fields: Fields, ids: (table: string) => GenericId<string>): Record<string, unknown> {
    const made: Record<string, unknown> = {};
    for (const [name, { fieldType, optional }] of Object.entries(fields)) {
      if (fieldType.type === "object" && "numItems" in fieldType.value) made[name] = this.firstPage(fieldType.value, ids);
      else if (!optional || this.next() < 0.6) made[name] = this.value(fieldType, ids, name);
    }
    return made;
  }

  /** What asks for the beginning of a list: no cursor is known, and what may be left out is. */
  private firstPage(type: Fields, ids: (table: string) => GenericId<string>): Record<string, unknown> {
    const needed = Object.fromEntries(Object.entries(type).filter(([, { optional }]) => !optional));
    const cursor = type.cursor?.fieldType;
    const first = cursor?.type === "union" && cursor.value.some((one) => one.type === "null") ? { cursor: null } : {};
    return { ...this.fields(needed, ids), numItems: 1 + this.below(4), ...first };
  }

  private time(): number {
    return this.now + this.pick(DAYS) * DAY;
  }
}

/** The columns of a table as JSON; a union of objects gives one of them. */
export function columns(random: Random, type: Json): Fields {
  if (type.type === "object") return type.value;
  if (type.type === "union") return columns(random, random.pick(type.value));
  return {};
}
