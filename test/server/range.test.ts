import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { parseContentRange, parseRange } from "../../src/server/range.ts";
import { testRegistry } from "./support.ts";

const number = fc.oneof(
  fc.nat(20),
  fc.constantFrom("", "-1", "0x10", "1e3", " 7", "007", "9007199254740993", "9".repeat(30)),
);
/** Something like a range: numbers, signs and units in any order, or any text at all. */
const rangeLike = fc.oneof(
  fc
    .tuple(fc.constantFrom("", "bytes=", "bytes ", "BYTES="), number, fc.constantFrom("-", "--", "/", ",", ""), number)
    .map((parts) => parts.join("")),
  fc
    .array(fc.constantFrom("bytes", "=", "-", ",", "0", "5", "19", "20", "*", "/", " "), { maxLength: 12 })
    .map((parts) => parts.join("")),
  fc.string({ maxLength: 20 }).filter((text) => /^[\x20-\x7e]*$/.test(text)),
);

describe("any Range header", () => {
  const bytes = Buffer.from("0123456789abcdefghij");
  const blob = `/v2/app/blobs/${digestOf(bytes)}`;

  test("is a part of the blob, or 416, or is ignored", async () => {
    const { send } = testRegistry();
    expect((await send("POST", `/v2/app/blobs/uploads/?digest=${digestOf(bytes)}`, { body: bytes })).status).toBe(201);
    await fc.assert(
      fc.asyncProperty(rangeLike, async (range) => {
        const { status, headers, bytes: got } = await send("GET", blob, { headers: { range } });
        const part = /^bytes (\d+)-(\d+)\/20$/.exec(headers["content-range"] ?? "");
        if (status === 416) expect(headers["content-range"]).toBe("bytes */20");
        else if (status === 200) expect(Buffer.from(got).toString()).toBe(bytes.toString());
        else
          expect([status, Buffer.from(got).toString()]).toEqual([
            206,
            bytes.toString("utf8", Number(part![1]), Number(part![2]) + 1),
          ]);
      }),
      { numRuns: 500 },
    );
  });

  test("asks for bytes that there are", () => {
    fc.assert(
      fc.property(rangeLike, fc.nat(30), (header, size) => {
        const range = parseRange(header, size);
        if (range === undefined || range === "unsatisfiable") return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThan(range.start);
        expect(range.end).toBeLessThanOrEqual(size);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("any Content-Range header", () => {
  test("is taken as what it says, or not at all", () => {
    fc.assert(
      fc.property(rangeLike, (header) => {
        const range = parseContentRange(header);
        if (range) expect(header.trim().split("-").map(Number)).toEqual([range.start, range.end - 1]);
      }),
      { numRuns: 2000 },
    );
  });

  test("of a chunk goes on where the upload is, or is a 4xx that changes nothing", async () => {
    const { send } = testRegistry();
    await fc.assert(
      fc.asyncProperty(rangeLike, fc.nat(12), async (range, length) => {
        const chunk = Buffer.alloc(length, "x");
        const { headers } = await send("POST", "/v2/app/blobs/uploads/");
        const first = await send("PATCH", headers["location"]!, { headers: { "content-range": "0-4" }, body: "first" });
        const second = await send("PATCH", first.headers["location"]!, {
          headers: { "content-range": range },
          body: chunk,
        });
        const fits = parseContentRange(range)?.start === 5 && parseContentRange(range)?.end === 5 + length;
        expect(second.status, `${range} with ${length} bytes`).toSatisfy((status: number) =>
          fits ? status === 202 : (status >= 400 && status < 500) || range.trim() === "",
        );
        const state = await send("GET", first.headers["location"]!);
        if (!fits && state.status === 204 && range.trim() !== "") expect(state.headers["range"]).toBe("0-4");
        await send("DELETE", first.headers["location"]!);
      }),
      { numRuns: 300 },
    );
  });
});
