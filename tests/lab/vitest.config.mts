import { defineConfig } from "vitest/config";

// convex-test compares `lt`, `lte`, `gt` and `gte` in filters as JavaScript does; Convex puts all values in one order (convex-facts 2.8).
const COMPARISON = /evaluateFilter\(document, filter\.\$(gte?|lte?)\[0\]\) (>=?|<=?)\s+evaluateFilter\(document, filter\.\$\1\[1\]\)/g;

const oneOrder = {
  name: "one-order",
  enforce: "pre" as const,
  transform(code: string, id: string) {
    if (!id.includes("convex-test/dist/index.js")) return undefined;
    let found = 0;
    const patched = code.replace(COMPARISON, (_, name, sign) => {
      found += 1;
      return `compareValues(evaluateFilter(document, filter.$${name}[0]), evaluateFilter(document, filter.$${name}[1])) ${sign} 0`;
    });
    if (found !== 4) throw new Error(`convex-test has changed: ${found} comparisons instead of 4`);
    return { code: patched, map: null };
  },
};

export default defineConfig({
  plugins: [oneOrder],
  test: {
    environment: "edge-runtime",
    include: ["lab.test.ts"],
    server: { deps: { inline: ["convex-test"] } },
    testTimeout: 300_000,
    hookTimeout: 60_000,
    reporters: ["dot"],
  },
});
