/**
 * The code that V8 made of a program when it was built, in a file beside it: its start then parses and compiles nothing
 * (V8 "code caching", `cachedData` of `node:vm`).
 *
 * V8 takes a cache for any text of the same length, so the program begins with a line of its own digest, and a cache with
 * the same line: neither is used without the other. Beyond that a cache is believed as the program is.
 */

/** Of the line: `// `, 64 hexadecimal digits, a line feed. */
export const labelBytes = 3 + 64 + 1;

/** @param program path. @returns that of its cache */
export const cacheOf = (program: string): string => program.replace(/\.cjs$/, '.code');

/** What Node makes of a CommonJS module, and V8 a cache of. */
export const asFunction = (source: string): string =>
  `(function (exports, require, module, __filename, __dirname) {${source}\n})`;
