import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countOf, momentOf, objectsIn, textOf } from "../../src/provider/answers.ts";

describe("what comes from a service", () => {
  test("is read without an error, whatever it is", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const read of [countOf, momentOf, textOf, objectsIn]) read(value);
      }),
    );
  });

  test("is shown without control characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(textOf(text) ?? "").not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
  });

  test("is a moment in UTC", () => {
    const moments = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31T00:00:00Z") });
    fc.assert(
      fc.property(moments, (date) => {
        expect(momentOf(date.toISOString())).toBe(date.toISOString());
        expect(momentOf(date.toISOString().replace("Z", "+00:00"))).toBe(date.toISOString());
      }),
    );
  });

  test.each([
    ["2019-01-10T13:38:57.391+02:00", "2019-01-10T11:38:57.391Z"],
    ["2020-08-19T01:34:14Z", "2020-08-19T01:34:14.000Z"],
    ["2020-13-19T01:34:14Z", undefined],
    ["2020-08-19", undefined],
    ["yesterday", undefined],
    [1_600_000_000, undefined],
  ])("%j is the moment %j", (value, expected) => {
    expect(momentOf(value)).toBe(expected);
  });

  test.each([
    [7, 7],
    ["1234509876", 1_234_509_876],
    [-1, undefined],
    [1.5, undefined],
    ["-1", undefined],
    ["", undefined],
    [2 ** 60, undefined],
    [null, undefined],
  ])("%j is the count %j", (value, expected) => {
    expect(countOf(value)).toBe(expected);
  });
});
