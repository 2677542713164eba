/** Rows for every table of a schema, which a seed alone decides: whose they are, to which rows they point, and whether those still exist. */
import { convexToJson, type Value } from "convex/values";
import { claimsOf, constantOf, KEY, known, OWNER, PEOPLE, tableOfCallers, type Table, type Trace } from "./people";
import { columns, Random, type Fields, type Json } from "./random";
import { clock } from "./world";

declare const Convex: { asyncSyscall(op: string, args: string): Promise<string> };

const LENGTH = 32;

export class Documents {
  /** Every row in the order in which it was inserted. */
  rows: { id: string; table: string }[] = [];
  private known: Record<string, string[]> = {};
  private gone: Record<string, string> = {};
  private serial: Record<string, number> = {};
  /** Everybody has a key of their own, and most things belong to the first. */
  readonly sole: boolean;
  private readonly callers: string | null;

  constructor(
    private random: Random,
    private tables: readonly Table[],
    private people: readonly Trace[],
    private seed: number,
  ) {
    this.callers = tableOfCallers(tables, people);
    this.sole = seed % 8 !== 3;
  }

  /** Fill the database; rows whose number `hide` holds are deleted again, so that all others keep their ids. */
  async lay(db: any, hide: readonly number[]): Promise<void> {
    const rounds = this.seed % 8 === 0 ? 0 : this.seed % 4 === 1 ? 1 : 2;
    const sizes = this.tables.map(({ name }) => Math.max(this.personal(name) ? 1 : 0, this.random.pick([0, 1, 2, 2, 3, 5, 8, 12])));
    for (let round = 0; round < rounds; round++) {
      for (const [number, { name, type }] of this.tables.entries()) {
        for (let n = 0; n < sizes[number]!; n++) await this.insert(name, type);
        const mine = this.known[name] ?? [];
        if (round === 0 && mine.length > 1) {
          this.gone[name] = mine.pop()!;
          this.rows = this.rows.filter((row) => row.id !== this.gone[name]);
          await db.delete(this.gone[name]);
        }
      }
    }
    for (const number of hide) if (this.rows[number]) await db.delete(this.rows[number]!.id);
  }

  /** An id of a table: of a row that is there, that was, or that never was. */
  id(table: string): any {
    const mine = this.known[table] ?? [];
    if (this.sole && mine.length > 0 && this.random.next() < (this.personal(table) ? 0.8 : 0.4)) return mine[0]; // many point to one
    if (mine.length > 0 && this.random.next() < 0.9) return this.random.pick(mine);
    return this.gone[table] ?? mine[0] ?? `${"9".padStart(LENGTH - table.length, "0")}${table}`;
  }

  /** Arguments; texts that say whose something is are mostly those of the one who calls. */
  args(type: Json, caller: string): Record<string, unknown> {
    const given = columns(this.random, type);
    const made = this.random.fields(given, (table) => this.id(table));
    for (const [name, { fieldType }] of Object.entries(given)) {
      if (name in made && fieldType.type === "string" && this.sole && (OWNER.test(name) || KEY.test(name)) && this.random.next() < 0.6) {
        made[name] = known(name, caller);
      }
    }
    return made;
  }

  /** The row of the one who calls, null where callers are not known by the id of a row. */
  self(): string | null {
    return this.callers === null ? null : this.id(this.callers);
  }

  private async insert(name: string, type: Json): Promise<void> {
    clock.now += 1 + this.random.below(3);
    const given = columns(this.random, type);
    const made = this.random.fields(given, (table) => this.id(table));
    if (this.sole) this.own(name, given, made);
    const wanted = this.random.next() < 0.6 ? this.wanted(name, given, made) : made;
    for (const row of wanted === made ? [made] : [wanted, made]) {
      try {
        const asked = JSON.stringify({ table: name, value: convexToJson(row as Value) });
        const id: string = JSON.parse(await Convex.asyncSyscall("1.0/insert", asked))._id; // `db.insert` does the same in many more turns
        this.rows.push({ id, table: name });
        (this.known[name] ??= []).push(id);
        return;
      } catch {
        // a validator that the pools, or what is looked for, have no value for
      }
    }
  }

  /** The row as it must be to be found by what the code looks for. */
  private wanted(table: string, given: Fields, made: Record<string, unknown>): Record<string, unknown> {
    const row = { ...made };
    for (const name of Object.keys(given)) {
      const looked = this.people.filter((one) => one.table === table && one.field === name && one.claim === null);
      if (looked.length === 0) continue;
      const value = constantOf(this.random.pick(looked));
      if (value === undefined) delete row[name];
      else row[name] = value;
    }
    return row;
  }

  /** Say in a row whose it is. */
  private own(table: string, given: Fields, made: Record<string, unknown>): void {
    const serial = (this.serial[table] = (this.serial[table] ?? -1) + 1);
    for (const [name, { fieldType }] of Object.entries(given)) {
      const trace = this.people.find((one) => one.table === table && one.field === name && one.claim !== null);
      if (fieldType.type === "id") continue;
      if (trace !== undefined) made[name] = claimsOf(this.person(trace.sole ? serial : this.random.next() < 0.8 ? 0 : serial))[trace.claim!];
      else if (fieldType.type !== "string" || !(name in made)) continue;
      else if (KEY.test(name)) made[name] = known(name, this.person(serial));
      else if (OWNER.test(name) && this.random.next() < 0.6) made[name] = this.person(0);
    }
  }

  private person(number: number): string {
    return `key${number}`;
  }

  private personal(table: string): boolean {
    return table === this.callers || PEOPLE.test(table) || this.people.some((one) => one.table === table && one.claim !== null && one.sole);
  }
}
