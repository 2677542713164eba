"""Convex functions in TypeScript and JavaScript.

Reads: `ctx.db` queries and gets in all their forms, convex-helpers, convex-ents, search and vector search.
Writes: insert, patch, replace, delete. Calls: helpers, registered functions, `ctx.run*`, the scheduler, client hooks.
Not understood: indexes and tables named by values that are no constants; builders of libraries that are not listed in `helpers`.
"""
