import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkDocument } from "../../../src/policy/lifecycle/check.ts";
import { convertLifecycle, formatLifecycle, parseLifecycle } from "../../../src/policy/lifecycle/convert.ts";
import { lifecycleDialects, type LifecycleDialect } from "../../../src/policy/lifecycle/dialects.ts";
import type { LifecycleImage } from "../../../src/policy/lifecycle/images.ts";
import { simulateLifecycle } from "../../../src/policy/lifecycle/simulate.ts";
import { documents, goes, now, someImages } from "./samples.ts";

const options = { now, repository: "app" };
const gone = (dialect: LifecycleDialect, document: unknown, images: readonly LifecycleImage[]): ReadonlySet<string> =>
  document === undefined ? new Set() : goes(simulateLifecycle(dialect, document, images, options));

const without = (all: ReadonlySet<string>, those: ReadonlySet<string>): readonly string[] =>
  [...all].filter((one) => !those.has(one));

const pairs = lifecycleDialects.flatMap((from) => lifecycleDialects.map((to) => [from, to] as const));
const runs = { numRuns: 60 };

describe.each(lifecycleDialects)("documents of %s", (dialect) => {
  test("are taken as right", () => {
    const isRight = (document: unknown): void => {
      expect(checkDocument(dialect, document)).toEqual([]);
    };
    fc.assert(fc.property(documents[dialect], isRight), runs);
  });

  test("are read and written again without deleting more; or less, where nothing is lost", () => {
    fc.assert(
      fc.property(documents[dialect], someImages(false), (document, images) => {
        const { rules, losses } = parseLifecycle(dialect, document);
        const again = formatLifecycle(dialect, rules);
        const [before, after] = [gone(dialect, document, images), gone(dialect, again.document, images)];
        expect(without(after, before)).toEqual([]);
        if (losses.length + again.losses.length === 0) expect(without(before, after)).toEqual([]);
      }),
      runs,
    );
  });
});

describe.each(pairs)("from %s to %s", (from, to) => {
  test.each([false, true])(
    "what is written is right, and deletes nothing that the policy would not (simple images: %s)",
    (simple) => {
      fc.assert(
        fc.property(documents[from], someImages(simple), (document, images) => {
          const { document: converted, losses } = convertLifecycle(from, to, document, { simpleImages: simple });
          if (converted !== undefined) expect(checkDocument(to, converted)).toEqual([]);
          const [before, after] = [gone(from, document, images), gone(to, converted, images)];
          expect(without(after, before)).toEqual([]);
          if (losses.length === 0) expect(without(before, after)).toEqual([]);
        }),
        runs,
      );
    },
  );
});
