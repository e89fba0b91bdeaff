import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRegistryError } from "../../src/oci/error.ts";
import {
  apiHost,
  familiarReference,
  formatReference,
  hostAliases,
  hasDigestTag,
  isDigestTag,
  isLoopback,
  isRepository,
  isTag,
  parseReference,
} from "../../src/oci/reference.ts";
import { anyText, bestDuration, duration, thrownBy } from "./hostile.ts";
import {
  accepted,
  hex,
  otherwise,
  rejected,
  sha256,
  stricter,
  type Accepted,
  type Rejected,
} from "./reference-table.ts";

describe("parseReference", () => {
  test.for<Accepted>([...accepted, ...otherwise])("reads $0", ([text, registry, repository, tag, digest]) => {
    const read = parseReference(text);
    expect(read).toEqual({ registry, repository, ...(tag && { tag }), ...(digest && { digest }) });
    expect(parseReference(formatReference(read))).toEqual(read);
    expect(parseReference(familiarReference(read))).toEqual(read);
  });

  test.for<Rejected>([...rejected, ...stricter])("refuses $0", ([text, position, message, hint = ""]) => {
    const error = thrownBy(() => parseReference(text));
    expect(error).toMatchObject({ code: "INVALID", message: expect.stringContaining(message) });
    expect(error.message).toMatch(new RegExp(`^invalid reference ".*".*, at position ${position}$`, "s"));
    expect(error.hint).toContain(hint === "" ? " " : hint);
  });

  test("says where and how in one message", () => {
    expect(thrownBy(() => parseReference("host.example/team/App:v1"))).toMatchObject({
      message: 'invalid reference "host.example/team/App:v1": an upper-case letter in the repository, at position 19',
      hint: 'write "host.example/team/app:v1"',
    });
  });

  test("keeps what it says short", () => {
    for (const [text] of hostile) {
      const error = thrownBy(() => parseReference(text));
      expect(error.message.length).toBeLessThan(2000);
      expect(error.hint!.length).toBeLessThan(500);
    }
  });
});

const long = 100_000;
const hostile: readonly (readonly [text: string, what: string])[] = [
  ["a".repeat(long), "one letter"],
  ["a-".repeat(long / 2), "letters and dashes"],
  ["a_".repeat(long / 2), "letters and underscores"],
  ["a.".repeat(long / 2), "letters and dots"],
  ["a/".repeat(long / 2), "components"],
  ["a".repeat(long) + "!", "one letter and a stray"],
  ["a-".repeat(long / 2) + "!", "letters and dashes and a stray"],
  [`a${"-".repeat(long)}`, "dashes"],
  [`a${"-".repeat(long)}!`, "dashes and a stray"],
  [`a${"_".repeat(long)}b`, "underscores"],
  ["/".repeat(long), "slashes"],
  [":".repeat(long), "colons"],
  ["@".repeat(long), "ats"],
  [" ".repeat(long), "spaces"],
  [`a:${"a".repeat(long)}`, "a tag"],
  [`a@sha256:${"a".repeat(long)}`, "a digest"],
  [`a@${"a".repeat(long)}:a`, "an algorithm"],
  [`${"a.".repeat(long / 2)}/b!`, "a host of labels"],
  [`${"a-".repeat(long / 2)}.x/b`, "a host of dashes"],
  [`${"a".repeat(long)}.x:y/b`, "a host and no port"],
  [`[${":".repeat(long)}]/b`, "an address"],
  [`h:${"1".repeat(long)}/b`, "a port"],
  [`${"A".repeat(long)}/B`, "upper case"],
  [`h.io/${"A/".repeat(long / 2)}B`, "components in upper case"],
  ["\ud800".repeat(long), "half characters"],
];

describe("parseReference takes its time by length alone", () => {
  test.each(hostile)("%#: $1", (text) => {
    expect(
      isRegistryError(
        thrownBy(() => parseReference(text)),
        "INVALID",
      ),
    ).toBe(true);
    expect(bestDuration(() => thrownBy(() => parseReference(text)))).toBeLessThan(50);
  });

  test("as do the checks of names and tags", () => {
    for (const [text] of hostile) {
      expect(duration(() => [isRepository(text), isTag(text), isDigestTag(text), isLoopback(text)])).toBeLessThan(50);
    }
  });
});

const component = fc.stringMatching(/^[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,4}[a-z0-9])?$/);
const host = fc.oneof(
  fc.tuple(label, fc.constantFrom("example", "test-1.org", "localhost")).map(([name, top]) => `${name}.${top}`),
  fc.constantFrom("localhost", "localhost:5000", "[::1]:5000", "[2001:db8::1]", "192.0.2.1:80", "docker.io"),
);
const reference = fc
  .record({
    registry: host,
    components: fc.array(component, { minLength: 1, maxLength: 4 }),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,12}$/), { nil: undefined }),
    digest: fc.constantFrom(undefined, sha256),
  })
  .map(({ registry, components, tag, digest }) => ({
    registry,
    repository:
      registry === "docker.io" && components.length === 1 ? `library/${components[0]!}` : components.join("/"),
    ...(tag !== undefined && { tag }),
    ...(digest && { digest }),
  }));

describe("references", () => {
  test("come back from their text, in full and in short", () => {
    fc.assert(
      fc.property(reference, (one) => {
        expect(parseReference(formatReference(one))).toEqual(one);
        expect(parseReference(familiarReference(one))).toEqual(one);
        expect(isRepository(one.repository)).toBe(true);
        expect(one.tag === undefined || isTag(one.tag)).toBe(true);
        expect(URL.canParse(`https://${one.registry}/v2/`)).toBe(true);
      }),
    );
  });

  test("are read, or refused as INVALID, whatever the text", () => {
    const pieces = fc.constantFrom(
      "a",
      "A",
      "-",
      "_",
      ".",
      "/",
      ":",
      "@",
      "sha256:",
      hex,
      "localhost",
      "[::1]",
      "5000",
      "!",
      " ",
      "é",
      "://",
    );
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
      anyText,
    );
    fc.assert(
      fc.property(text, (one) => {
        try {
          const read = parseReference(one);
          expect(parseReference(formatReference(read))).toEqual(read);
          expect(isRepository(read.repository)).toBe(true);
          expect(URL.canParse(`https://${apiHost(read.registry)}/v2/${read.repository}/`)).toBe(true);
        } catch (error) {
          if (!isRegistryError(error, "INVALID")) throw error;
          expect(error.message).toMatch(/at position \d+$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["docker.io/library/alpine", "alpine"],
    ["docker.io/library/alpine:3.20", "alpine:3.20"],
    [`docker.io/library/alpine@${sha256}`, `alpine@${sha256}`],
    ["docker.io/bitnami/redis", "bitnami/redis"],
    ["docker.io/library/a/b", "library/a/b"],
    ["docker.io/library/localhost", "localhost"],
    ["docker.io/localhost/a", "docker.io/localhost/a"],
    ["docker.io/registry.example/a", "docker.io/registry.example/a"],
    [`docker.io/library/${hex}`, `docker.io/library/${hex}`],
    [`docker.io/library/sha256:${hex}`, `docker.io/library/sha256:${hex}`],
    ["host.example/library/a", "host.example/library/a"],
  ])("%s is %s in short", (full, short) => {
    expect(familiarReference(parseReference(full))).toBe(short);
    expect(formatReference(parseReference(full))).toBe(full);
  });
});

test.each([
  [`sha256-${hex}`, true],
  [`sha256-${hex}.sig`, true],
  [`sha512-${hex}`, true],
  [`sha256-${hex}x`, false],
  [`sha256-${hex.slice(1)}`, false],
  [`sha256-${hex.toUpperCase()}`, false],
  [`v1-sha256-${hex}`, false],
  [`sha1-${hex}`, false],
])("isDigestTag(%j) is %j, and so it is at the end of a name", (tag, answer) => {
  expect(isDigestTag(tag)).toBe(answer);
  for (const name of [tag, `team/app:${tag}`, `127.0.0.1:5000/app:${tag}`]) expect(hasDigestTag(name)).toBe(answer);
});

test.each([
  ["localhost", true],
  ["localhost:5000", true],
  ["app.localhost:80", true],
  ["127.0.0.1", true],
  ["127.255.0.3:5000", true],
  ["[::1]", true],
  ["[::1]:5000", true],
  ["127.0.0.1.example", false],
  ["localhost.example", false],
  ["notlocalhost", false],
  ["128.0.0.1", false],
  ["[::2]:5000", false],
  ["[::1", false],
])("isLoopback(%j) is %j", (name, answer) => expect(isLoopback(name)).toBe(answer));

test("Docker Hub answers elsewhere and goes by several names", () => {
  expect(apiHost("docker.io")).toBe("registry-1.docker.io");
  expect(apiHost("host.example:5000")).toBe("host.example:5000");
  expect(hostAliases("docker.io")).toContain("index.docker.io");
  expect(hostAliases("host.example")).toEqual(["host.example"]);
});
