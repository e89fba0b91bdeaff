import * as fc from "fast-check";
import { expect, test } from "vitest";
import { chunkedFraming, closeFraming, lengthFraming, type Framing } from "../../src/transport/raw/framing.ts";
import { framingOf, parseHead } from "../../src/transport/raw/head.ts";

/** Feeds bytes in the given portions, each from a buffer of its own as a socket would, and collects the payload. */
function feed(framing: Framing, bytes: Buffer, portions: readonly number[]): Buffer {
  const payload: Buffer[] = [];
  let position = 0;
  for (let i = 0; position < bytes.length; i++) {
    const portion = Buffer.from(bytes.subarray(position, position + (portions[i % portions.length] ?? 1)));
    position += portion.length;
    payload.push(portion.subarray(0, framing.decode(portion, portion.length)));
  }
  return Buffer.concat(payload);
}

function chunked(chunks: readonly Uint8Array[], extension: string, trailers: string): Buffer {
  const written = chunks.map((chunk) =>
    Buffer.concat([Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk, Buffer.from("\r\n")]),
  );
  return Buffer.concat([...written, Buffer.from(`0\r\n${trailers}\r\n`)]);
}

const portions = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });

test("a chunked body comes out whole however it is cut up on the way", () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }));
  const extensions = fc.constantFrom("", ";a=b", " ", ';name="quoted"');
  const trailers = fc.constantFrom("", "x: y\r\n", "a: b\r\nc: d\r\n");
  fc.assert(
    fc.property(chunks, extensions, trailers, portions, (pieces, extension, trailer, cuts) => {
      const framing = chunkedFraming();
      const payload = feed(framing, chunked(pieces, extension, trailer), cuts);
      expect(payload.equals(Buffer.concat(pieces))).toBe(true);
      expect(framing.isDone()).toBe(true);
      expect(framing.hasExcess()).toBe(false);
    }),
  );
});

test("a body of known length ends there, and says when more came", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.uint8Array(), portions, (body, more, cuts) => {
      const framing = lengthFraming(body.length);
      const payload = feed(framing, Buffer.concat([body, more]), cuts);
      expect(payload.equals(body)).toBe(true);
      expect(framing.isDone()).toBe(true);
      expect(framing.hasExcess()).toBe(more.length > 0);
    }),
  );
});

test("bytes are taken for a whole chunked body exactly where they begin with one", () => {
  const unit = fc.constantFrom("0", "1\r\n", "x\r\n", "0\r\n\r\n", "\r\n", "\r", "\n", ";", " ", "x");
  const aside = String.raw`(?:[ ;][^\r\n]*)?\r\n`;
  const form = new RegExp(String.raw`^(?:0*1${aside}[^]\r\n)*0+${aside}(?:[^\r\n]+\r\n)*\r\n`);
  let whole = 0;
  fc.assert(
    fc.property(fc.string({ unit }), portions, (text, cuts) => {
      const framing = chunkedFraming();
      let refused = "";
      try {
        feed(framing, Buffer.from(text), cuts);
      } catch (error) {
        refused = String(error);
      }
      expect(refused).toMatch(/^$|^Error: (a )?chunk/);
      expect(framing.isDone()).toBe(form.test(text));
      if (framing.isDone()) whole += 1;
    }),
    { numRuns: 2000 },
  );
  expect(whole).toBeGreaterThan(0);
});

test.each([
  ["no size", "\r\n"],
  ["a size that is not hexadecimal", "5x\r\nhello\r\n"],
  ["a size beyond all bounds", "ffffffffffffff\r\n"],
  ["a chunk longer than its size", "3\r\nhello\r\n"],
  ["a bare line feed", "5\nhello\n"],
  ["an endless extension", `5;${"a".repeat(40_000)}`],
])("a chunked body with %s is refused", (_, text) => {
  expect(() => chunkedFraming().decode(Buffer.from(text), text.length)).toThrow(/chunk/);
});

test("a body without any framing goes on until the connection is closed", () => {
  expect(feed(closeFraming(), Buffer.from("anything"), [3]).toString()).toBe("anything");
  expect(closeFraming().endsWithConnection).toBe(true);
});

test("a head is found as soon as it is all there", () => {
  const text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:  2 \r\nLocation: /a\r\nLocation: /b\r\n\r\n";
  const bytes = Buffer.from(`${text}hello`);
  for (let length = 0; length < text.length; length++) expect(parseHead(bytes.subarray(0, length))).toBeUndefined();
  expect(parseHead(bytes)).toEqual({
    status: 200,
    headers: { "content-length": "5", "x-a": "1, 2", location: "/a" },
    length: text.length,
    keepsAlive: true,
  });
});

test.each([
  ["HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", false],
  ["HTTP/1.1 200 OK\r\nConnection: Upgrade, Close\r\n\r\n", false],
  ["HTTP/1.0 200 OK\r\n\r\n", false],
  ["HTTP/1.1 200\r\n\r\n", true],
])("whether the connection may serve again: %j", (text, keepsAlive) => {
  expect(parseHead(Buffer.from(text))?.keepsAlive).toBe(keepsAlive);
});

test.each([
  "HTTP/2 200 OK\r\n\r\n",
  "SSH-2.0-OpenSSH_9.2",
  "\u0015\u0003\u0001",
  "HTTP/1.1 99 low\r\n\r\n",
  "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
  "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
  "HTTP/1.1 200 OK\r\na\u0000b: c\r\n\r\n",
  "HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
])("a head that breaks HTTP is refused: %j", (text) => {
  expect(() => parseHead(Buffer.from(text))).toThrow(/./);
});

test.each([
  [{ "content-length": "1", "transfer-encoding": "chunked" }, /both/],
  [{ "content-length": "1, 1" }, /not a number/],
  [{ "content-length": "-1" }, /not a number/],
  [{ "transfer-encoding": "gzip, chunked" }, /unknown Transfer-Encoding/],
])("headers that do not go together are refused: %j", (headers, why) => {
  expect(() => framingOf("GET", { status: 200, headers, length: 0, keepsAlive: true })).toThrow(why);
});

test.each([
  ["HEAD", 200],
  ["GET", 204],
  ["GET", 304],
] as const)("the answer %s %i has no body, whatever its headers say", (method, status) => {
  const headers = { "content-length": "5" };
  expect(framingOf(method, { status, headers, length: 0, keepsAlive: true })).toBeUndefined();
});

test("any bytes are a head, the start of one, or refused", () => {
  const unit = fc.constantFrom(
    "HTTP/1.1 ",
    "200",
    "OK",
    "\r\n",
    "\r\na:",
    "a",
    "\r",
    "\n",
    "\u0000",
    "content-length: 5",
  );
  const text = fc
    .tuple(
      fc.constantFrom("", "HTTP/1.1 200 OK"),
      fc.string({ unit }),
      fc.constantFrom("", "\r\n\r\n"),
      fc.string({ unit }),
    )
    .map((parts) => parts.join(""));
  let heads = 0;
  fc.assert(
    fc.property(text, (bytes) => {
      let head: ReturnType<typeof parseHead>;
      try {
        head = parseHead(Buffer.from(bytes));
      } catch (error) {
        expect(String(error)).toMatch(/^Error: (it|its|a) /);
        return;
      }
      if (!head) return;
      heads += 1;
      expect(bytes.indexOf("\r\n\r\n")).toBe(head.length - 4);
    }),
    { numRuns: 500 },
  );
  expect(heads).toBeGreaterThan(0);
});
