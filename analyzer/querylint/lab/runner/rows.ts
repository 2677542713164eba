/**
 * Databases of a given size, the same each time: what stands in a field of a row hangs on the number of the row and the names of the table and the
 * field, on nothing that comes before. Values are spread evenly, so that each has its share of ten rows as of a thousand. Of what points to
 * another row, a half points to the first, which is what functions are asked for, and the rest is spread over the others: what belongs to one is a
 * list that grows, and what belongs to many meets rows.
 */
import { convexToJson, type Value } from "convex/values";
import { claimsOf, constantOf, KEY, known, OWNER, tableOfCallers, type Key, type Table, type Trace } from "./people";
import { DAY, TIME, type Fields, type Json } from "./random";
import { clock, START } from "./world";

declare const Convex: { asyncSyscall(op: string, args: string): Promise<string> };

/**
 * Each table gets `size` rows, some at `most` so many. `people` and `keys` say what functions look for, `words` which texts the code compares a
 * field with. `world` is the number of the database: in another one, other rows have other values. `tables` are those that get rows, null for all.
 */
export type Plan = { world: number; tables: string[] | null; size: number; most: Record<string, number>; people: Trace[]; keys: Key[]; words: Record<string, string[]> };

const LENGTH = 32;
const LONG = /^text|content|body|description|message|prompt|bio|summary|notes?$|html|markdown|transcript/i;
const TEXT = "a text as long as people write it. ".repeat(12);
const YES = /admin|active|enabled|verified|public|approved|completed|visible/i;
const NO = /delet|archiv|bann|block|disab|suspend|revok|lock|hidden|expired/i;
const FEW = /limit|count|take|size|max|num|top|first|^n$/i;
const SINCE = /since|from|start|after|begin/i;
const UNTIL = /until|to$|end|before|deadline|expir/i;
/** The rows that a function is asked for where it may be told how many. */
const PAGE = 5;
const PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89];
const DAYS = [-1, -31, 7, -0.01, -7, -400, 0.01, 31];

/** The tables of the system that rows may point to. */
const SYSTEM: Table[] = [
  { name: "_storage", type: object({ sha256: { type: "string" }, size: { type: "number" } }) },
  {
    name: "_scheduled_functions",
    type: object({
      name: { type: "string" },
      args: { type: "array", value: { type: "null" } },
      scheduledTime: { type: "number" },
      state: object({ kind: { type: "literal", value: "pending" } }),
    }),
  },
];

type Made = Record<string, unknown>;

/** What is looked for in a field: claims of callers, literals, and values by which, alone or with other fields, one row is known. */
type Looks = { claims: Trace[]; literals: Trace[]; keys: Key[] };

export class Rows {
  private readonly ids: Record<string, string[]> = {};
  private readonly first: Record<string, Made> = {};
  private readonly callers: string | null;
  private readonly tables: readonly Table[];
  private readonly types: ReadonlyMap<string, Json>;
  private readonly looks = new Map<string, Looks>();
  /** Whether the row that is being made points to one that is not there yet. */
  private early = false;
  /** How many rows of a table the arguments name so far: each is another. */
  private named: Record<string, number> = {};

  constructor(
    tables: readonly Table[],
    private readonly dimensions: Record<string, number>,
    private readonly plan: Plan,
  ) {
    const meant = new Set(tables.flatMap((table) => targets(table.type)));
    const laid = tables.filter((table) => plan.tables === null || plan.tables.includes(table.name));
    this.tables = [...SYSTEM.filter((table) => meant.has(table.name)), ...laid];
    this.types = new Map(this.tables.map((table) => [table.name, table.type]));
    this.callers = tableOfCallers(tables, plan.people);
  }

  /** Fill the database; rows that point to later ones are made again when those are there. */
  async lay(): Promise<void> {
    const again: [Table, number, string][] = [];
    for (const table of this.inOrder()) {
      this.ids[table.name] = [];
      for (let i = 0; i < this.size(table.name); i++) {
        clock.now += 1;
        this.early = false;
        const id = await this.insert(table, i);
        if (id === null) continue;
        if (this.early) again.push([table, i, id]);
        this.ids[table.name]!.push(id);
      }
    }
    for (const [table, i, id] of again) {
      const row = this.row(table, i, true);
      try {
        await asked("1.0/replace", { id, value: convexToJson(row as Value) });
        if (i === 0) this.first[table.name] = row;
      } catch {
        // it stays as it is
      }
    }
  }

  /** The row of the one who calls, null where callers are not known by the id of a row. */
  self(): string | null {
    return this.callers === null ? null : (this.ids[this.callers]?.[0] ?? null);
  }

  /**
   * Arguments, of which there are several variants: without what may be left out, with all of it, and with some of it and other choices.
   * What has the name of a field is what stands there in the first row, those of `near` before others.
   */
  args(type: Json, variant: number, near: readonly string[]): Made {
    this.named = {};
    const order = [...near, ...this.tables.map((table) => table.name).filter((name) => !near.includes(name))];
    return type.type === "object" ? this.given(type.value, variant, order) : {};
  }

  private given(fields: Fields, variant: number, near: readonly string[]): Made {
    const made: Made = {};
    for (const [name, { fieldType, optional }] of Object.entries(fields)) {
      const left = optional && (variant === 0 || (variant > 1 && hash(`${name} ${variant}`) < 0.5));
      if (!left) made[name] = this.argument(name, fieldType, variant, near);
    }
    return made;
  }

  private argument(name: string, type: Json, variant: number, near: readonly string[]): unknown {
    const there = near.map((table) => this.first[table]?.[name]).find((value) => value !== undefined && value !== null && fits(type, value));
    switch (type.type) {
      case "id": {
        const at = (this.named[type.tableName] = (this.named[type.tableName] ?? -1) + 1);
        return this.ids[type.tableName]?.[at] ?? this.ids[type.tableName]?.[0] ?? nobody(type.tableName);
      }
      case "object":
        if ("numItems" in type.value) return { ...this.given(required(type.value), 0, near), numItems: PAGE, ...(type.value.cursor?.optional ? {} : { cursor: null }) };
        return this.given(type.value, variant, near);
      case "array":
        if (type.value.type === "id") return (this.ids[type.value.tableName] ?? []).slice(0, PAGE);
        return [this.argument(name, type.value, variant, near)];
      case "union": {
        if (variant < 2 && there !== undefined) return there;
        const some = type.value.filter((one) => one.type !== "null");
        const chosen = some[(variant < 2 ? 0 : variant - 1) % Math.max(1, some.length)];
        return chosen === undefined ? null : this.argument(name, chosen, variant, near);
      }
      case "literal":
        return type.value;
      case "boolean":
        return variant < 2;
      case "number":
        if (FEW.test(name)) return PAGE;
        return TIME.test(name) ? moment(name) : (there ?? 1);
      case "bigint":
        return FEW.test(name) ? BigInt(PAGE) : (there ?? 1n);
      case "string":
        return this.text(name, near, there);
      case "bytes":
        return new Uint8Array([1]).buffer;
      case "record":
        return {};
      case "any":
        return there ?? {};
      default:
        return null;
    }
  }

  private text(name: string, near: readonly string[], there: unknown): unknown {
    if (there !== undefined) return there;
    if (KEY.test(name)) return known(name, "key0");
    if (OWNER.test(name)) return this.owner(0);
    const stem = name.replace(/_?ids?$/i, "").toLowerCase();
    const named = stem !== name.toLowerCase() ? near.find((table) => table.toLowerCase().startsWith(stem)) : undefined;
    if (named !== undefined && this.ids[named]?.[0] !== undefined) return this.ids[named]![0];
    if (TIME.test(name)) return new Date(moment(name)).toISOString();
    return this.plan.words[name]?.[0] ?? "a";
  }

  /** The tables, each after those that its rows point to, as far as they do not point to one another. */
  private inOrder(): Table[] {
    const left = [...this.tables];
    const done: Table[] = [];
    while (left.length > 0) {
      const ready = left.findIndex((table) => targets(table.type).every((name) => name === table.name || !left.some((one) => one.name === name)));
      done.push(...left.splice(Math.max(0, ready), 1));
    }
    return done;
  }

  private async insert(table: Table, i: number): Promise<string | null> {
    for (const wanted of [true, false]) {
      try {
        const row = this.row(table, i, wanted);
        const id = (await asked("1.0/insert", { table: table.name, value: convexToJson(row as Value) }))._id as string;
        if (i === 0) this.first[table.name] = row;
        return id;
      } catch {
        // a validator that has no value for what is looked for, or for what stands there
      }
    }
    return null;
  }

  private row(table: Table, i: number, wanted: boolean): Made {
    let type = table.type;
    while (type.type === "union") type = type.value[this.pick(`${table.name}?`, i, type.value.length)]!;
    return type.type === "object" ? this.fields(table.name, type.value, i, wanted) : {};
  }

  private fields(table: string, fields: Fields, i: number, wanted: boolean): Made {
    const made: Made = {};
    for (const [name, { fieldType, optional }] of Object.entries(fields)) {
      const value = this.field(table, name, fieldType, optional, i, wanted);
      if (value !== undefined) made[name] = value;
    }
    return made;
  }

  /** What stands in a field of a row; nothing, where it may be left out and is. */
  private field(table: string, name: string, type: Json, optional: boolean, i: number, wanted: boolean): unknown {
    const { claims, literals, keys: key } = this.looked(table, name);
    if (claims.length > 0 && type.type !== "id") {
      const sole = key.some((one) => one.fields.length === 1) || claims.every((one) => one.sole);
      return claimsOf(`key${sole ? i : this.one(table, name, i, this.people())}`)[claims[0]!.claim!];
    }
    const constants = wanted ? literals : [];
    if (constants.length > 0 && (key.length > 0 ? i === 0 : this.spread(`${table}.${name}=`, i) < 0.6)) {
      return constantOf(constants[this.pick(`${table}.${name}#`, i, constants.length)]!);
    }
    if (optional && key.length === 0) {
      const kept = i === 0 ? !NO.test(name) && this.plan.world !== 1 : this.spread(`${table}.${name}?`, i) < 0.6;
      if (!kept || (i === 0 && type.type === "id" && type.tableName === table)) return undefined;
    }
    return this.value(table, name, type, i);
  }

  private value(table: string, name: string, type: Json, i: number): unknown {
    const words = this.plan.words[name] ?? [];
    switch (type.type) {
      case "id":
        if (SYSTEM.some((one) => one.name === type.tableName)) return this.id(type.tableName, i % this.size(type.tableName)); // a file belongs to one row
        return this.id(type.tableName, this.one(table, name, i, this.size(type.tableName), type.tableName === table));
      case "union": {
        const few = this.choices(table, name);
        if (few > 0) return this.value(table, name, type.value[i % few]!, i);
        const refers = type.value.find((one) => one.type === "id");
        if (refers !== undefined && (i % 2 === 0 || type.value.length === 1)) return this.value(table, name, refers, i);
        const said = i === 0 ? words.filter((word) => type.value.some((one) => one.type === "literal" && one.value === word)) : [];
        if (said.length > 0) return said[this.plan.world % said.length];
        const some = i === 0 ? type.value.filter((one) => one.type !== "null") : type.value;
        const chosen = some[this.pick(`${table}.${name}`, i, some.length)] ?? { type: "null" };
        return this.value(table, name, chosen, i);
      }
      case "literal":
        return type.value;
      case "boolean":
        if (i === 0 && (YES.test(name) || NO.test(name))) return YES.test(name);
        return this.spread(`${table}.${name}`, i) < 0.5;
      case "number":
        if (this.numbered(table, name)) return i;
        if (TIME.test(name)) return START + DAYS[this.pick(`${table}.${name}`, i, DAYS.length)]! * DAY;
        return this.pick(`${table}.${name}`, i, 10) + 1;
      case "bigint":
        return BigInt(this.numbered(table, name) ? i : this.pick(`${table}.${name}`, i, 10) + 1);
      case "string":
        if (this.numbered(table, name)) return `${name} ${i}`;
        if (KEY.test(name)) return known(name, `key${i}`);
        if (OWNER.test(name)) return this.owner(this.one(table, name, i, this.people()));
        if (TIME.test(name)) return new Date(START + DAYS[this.pick(`${table}.${name}`, i, DAYS.length)]! * DAY).toISOString();
        if (words.length > 0) return words[i === 0 ? this.plan.world % words.length : this.pick(`${table}.${name}`, i, words.length)];
        return LONG.test(name) ? TEXT : `${name} ${this.pick(`${table}.${name}`, i, 7)}`;
      case "bytes":
        return new Uint8Array([i % 251]).buffer;
      case "array": {
        const wide = this.dimensions[`${table}.${name}`];
        if (wide !== undefined) return Array.from({ length: wide }, (_, at) => ((i + at) % 4) / 4);
        return [0, 1, 2].map((at) => this.value(table, name, type.value, at === 0 ? i : i + at));
      }
      case "object":
        return this.fields(`${table}.${name}`, type.value, i, false);
      case "record":
        return {};
      case "any":
        return words[0] ?? `${name} ${i % 7}`;
      default:
        return null;
    }
  }

  /**
   * Which one a row points to: a half of them to the first. Where a pair is unique, some rows have one side of it in common, some the other;
   * where one side is a choice of a few, the first has a row for each.
   */
  private one(table: string, field: string, i: number, size: number, same = false): number {
    const { keys } = this.looked(table, field);
    if (keys.some((one) => one.fields.length === 1)) return i % size;
    const pair = keys.find((one) => !one.fields.some((name) => this.numbered(table, name)))?.fields.filter((name) => this.pointing(table, name)) ?? [];
    if (same) return i % 2 === 0 ? 0 : i >> 1;
    const few = keys.reduce((most, key) => Math.max(most, ...key.fields.map((name) => this.choices(table, name))), 0);
    if (few > 0 && pair.length === 1) return i < few ? 0 : i % size;
    if (pair.length > 1 && i > 0) return i % pair.length === pair.indexOf(field) ? 0 : i % size;
    return i % 2 === 0 ? 0 : (i >> 1) % size;
  }

  /** Whether a field, alone or with others, is what a row is known by, and is neither a pointer nor a choice: then each row has its own. */
  private numbered(table: string, field: string): boolean {
    return this.looked(table, field).keys.length > 0 && !this.pointing(table, field) && this.choices(table, field) === 0;
  }

  /** How many choices there are for a field that a row is known by together with others; 0 where it is no such field. */
  private choices(table: string, field: string): number {
    const type = this.typeOf(table, field);
    if (type?.type !== "union" || !type.value.every((one) => one.type === "literal")) return 0;
    return this.looked(table, field).keys.some((one) => one.fields.length > 1) ? type.value.length : 0;
  }

  private looked(table: string, field: string): Looks {
    const name = `${table}.${field}`;
    let found = this.looks.get(name);
    if (found === undefined) {
      const of = this.plan.people.filter((one) => one.table === table && one.field === field);
      const keys = this.plan.keys.filter((one) => one.table === table && one.fields.includes(field));
      found = { claims: of.filter((one) => one.claim !== null), literals: of.filter((one) => one.claim === null && !one.range), keys };
      this.looks.set(name, found);
    }
    return found;
  }

  private typeOf(table: string, field: string): Json | undefined {
    const type = this.types.get(table);
    return type?.type === "object" ? type.value[field]?.fieldType : undefined;
  }

  private pointing(table: string, field: string): boolean {
    const held = this.typeOf(table, field);
    if (held === undefined) return false;
    return refers(held) || this.looked(table, field).claims.length > 0 || (held.type === "string" && OWNER.test(field));
  }

  private id(table: string, at: number): string {
    const found = this.ids[table]?.[at];
    if (found === undefined && this.size(table) > 0) this.early = true;
    return found ?? nobody(table);
  }

  private owner(at: number): string {
    return this.callers === null ? `key${at}` : this.id(this.callers, at);
  }

  private people(): number {
    return this.callers === null ? this.plan.size : this.size(this.callers);
  }

  private size(table: string): number {
    return this.types.has(table) ? Math.min(this.plan.size, this.plan.most[table] ?? this.plan.size) : 0;
  }

  private pick(name: string, i: number, size: number): number {
    return Math.min(size - 1, Math.floor(this.spread(name, i) * size));
  }

  /** A number from 0 to below 1 for each row of a field: any stretch of rows has all parts of the range in equal shares (Weyl's sequence). */
  private spread(name: string, i: number): number {
    const step = Math.sqrt(PRIMES[Math.floor(hash(name) * PRIMES.length)]!);
    return (hash(`${name} ${this.plan.world}`) + i * (step - Math.floor(step))) % 1;
  }
}

async function asked(op: string, args: unknown): Promise<any> {
  return JSON.parse(await Convex.asyncSyscall(op, JSON.stringify(args)));
}

/** The time that is asked for: now, unless it is where a stretch of time begins or ends. */
function moment(name: string): number {
  return START + (SINCE.test(name) ? -40 : UNTIL.test(name) ? 40 : 0) * DAY;
}

/** An id that no row has. */
function nobody(table: string): string {
  return `${"9".padStart(LENGTH - table.length, "0")}${table}`;
}

function object(fields: Record<string, Json>): Json {
  return { type: "object", value: Object.fromEntries(Object.entries(fields).map(([name, fieldType]) => [name, { fieldType, optional: false }])) };
}

function required(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name, { optional }]) => !optional && name !== "numItems" && name !== "cursor"));
}

function refers(type: Json): boolean {
  return type.type === "id" || (type.type === "union" && type.value.some(refers));
}

/** The tables that rows point to. */
function targets(type: Json): string[] {
  switch (type.type) {
    case "id":
      return [type.tableName];
    case "array":
      return targets(type.value);
    case "union":
      return type.value.flatMap(targets);
    case "object":
      return Object.values(type.value).flatMap((field) => targets(field.fieldType));
    default:
      return [];
  }
}

/** Whether a value of a field may be an argument, as far as it is plain. */
function fits(type: Json, value: unknown): boolean {
  if (type.type === "union") return type.value.some((one) => fits(one, value));
  if (type.type === "literal") return type.value === value;
  if (type.type === "id") return typeof value === "string" && value.endsWith(type.tableName);
  return type.type === "any" || type.type === typeof value;
}

const hashes = new Map<string, number>();

function hash(name: string): number {
  if (!hashes.has(name)) hashes.set(name, hashed(name));
  return hashes.get(name)!;
}

/** A number from 0 to below 1 for a name (FNV-1a, stirred). */
function hashed(name: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) state = Math.imul(state ^ name.charCodeAt(at), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return ((state ^ (state >>> 16)) >>> 0) / 4294967296;
}
