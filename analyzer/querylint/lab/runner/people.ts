/** Who calls, and which rows are theirs: learned from what a function asks the database for when somebody unmistakable calls it. */
export type Claim = "subject" | "tokenIdentifier" | "email" | "id";

/** A field that a claim of the caller is looked for in. `sole` says that one row is expected, so that everybody has their own. */
export type Trace = { table: string; field: string; claim: Claim; sole: boolean };

const ISSUER = "https://lab.example";
const STRANGER = "somebody-unmistakable";

let watching: Trace[] | null = null;

/** What one person is known by. */
export function claimsOf(person: string): Record<Claim, string> {
  return { subject: person, tokenIdentifier: `${ISSUER}|${person}`, email: `${person}@lab.example`, id: person };
}

export function identityOf(person: string, id: string | null): Record<string, unknown> {
  const { subject, email } = claimsOf(person);
  const tokenIdentifier = `${ISSUER}|${id ?? subject}`;
  return { subject: id ?? subject, issuer: ISSUER, tokenIdentifier, email, emailVerified: true, name: person, nickname: person };
}

/** Begin to watch for what is looked up of a stranger. */
export function watch(): Record<string, unknown> {
  watching = [];
  return identityOf(STRANGER, null);
}

export function learned(): Trace[] {
  return watching ?? [];
}

/** A query, or the reading of one row, that is about to be asked. */
export function noticed(asked: any, limit: number | null): void {
  if (watching === null) return;
  const sole = limit !== null && limit <= 2;
  if (typeof asked.id === "string") remember(asked.table ?? "", "_id", asked.id === STRANGER ? "id" : null, sole);
  const table = asked.source?.tableName ?? String(asked.source?.indexName ?? "").split(".")[0];
  for (const { field, value } of tests(asked)) remember(table, field, claimOf(value), sole);
}

function remember(table: string, field: string, claim: Claim | null, sole: boolean): void {
  if (claim === null || watching!.some((one) => one.table === table && one.field === field)) return;
  watching!.push({ table, field, claim, sole });
}

function claimOf(value: unknown): Claim | null {
  const found = Object.entries(claimsOf(STRANGER)).find(([, text]) => text === value);
  return found === undefined ? null : (found[0] as Claim);
}

/** What a query demands of fields, by ranges of indexes and by filters. */
function tests(part: any): { field: string; value: unknown }[] {
  if (part === null || typeof part !== "object") return [];
  if (typeof part.fieldPath === "string" && "value" in part) return [{ field: part.fieldPath, value: part.value }];
  if (Array.isArray(part.$eq)) {
    const field = part.$eq.find((side: any) => side?.$field !== undefined)?.$field;
    const literal = part.$eq.find((side: any) => side?.$literal !== undefined)?.$literal;
    return field === undefined ? [] : [{ field, value: literal }];
  }
  return Object.values(part).flatMap(tests);
}
