import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findRegistry, matchedLength, relocated } from "../../src/hosts/prefix.ts";
import { parseRegistriesConf } from "../../src/hosts/registries-conf.ts";
import { isRegistryError } from "../../src/oci/error.ts";
import { fault } from "./machine.ts";

const parse = (text: string): ReturnType<typeof parseRegistriesConf> => parseRegistriesConf(text, "/r.conf");

test("all of it is read", () => {
  const conf = parse(`
    unqualified-search-registries = ["docker.io", "registry.example:5000/"]
    credential-helpers = ["secretservice", "containers-auth.json"]
    short-name-mode = "enforcing"
    something-new = 1
    [[registry]]
    prefix = "example.com/team/"
    location = "internal.example:5000/mirror/"
    insecure = true
    [[registry.mirror]]
    location = "fast.example"
    [[registry.mirror]]
    location = "slow.example/x"
    insecure = true
    pull-from-mirror = "tag-only"
    [[registry]]
    location = "bad.example"
    blocked = true
    [[registry]]
    prefix = "*.dev.example"
    mirror-by-digest-only = true
    mirror = [{ location = "pinned.example" }]
    [aliases]
    alpine = "docker.io/alpine"
    "team/app" = "registry.example:5000/team/app"
    gone = ""
  `);
  expect(conf.registries).toEqual([
    {
      prefix: "example.com/team",
      location: "internal.example:5000/mirror",
      insecure: true,
      blocked: false,
      mirrors: [
        { location: "fast.example", insecure: false, use: "all" },
        { location: "slow.example/x", insecure: true, use: "tag-only" },
      ],
      origin: '/r.conf: [[registry]] "example.com/team"',
    },
    {
      prefix: "bad.example",
      location: "bad.example",
      insecure: false,
      blocked: true,
      mirrors: [],
      origin: '/r.conf: [[registry]] "bad.example"',
    },
    {
      prefix: "*.dev.example",
      location: "",
      insecure: false,
      blocked: false,
      mirrors: [{ location: "pinned.example", insecure: false, use: "digest-only" }],
      origin: '/r.conf: [[registry]] "*.dev.example"',
    },
  ]);
  expect(conf.searchRegistries?.hosts).toEqual(["docker.io", "registry.example:5000"]);
  expect(conf.credentialHelpers).toEqual(["secretservice", "containers-auth.json"]);
  expect(Object.fromEntries([...conf.aliases].map(([name, { target }]) => [name, target]))).toEqual({
    alpine: { registry: "docker.io", repository: "library/alpine" },
    "team/app": { registry: "registry.example:5000", repository: "team/app" },
    gone: undefined,
  });
});

test("an empty file says nothing, and of two entries with one prefix the first counts", () => {
  expect(parse("")).toEqual({ registries: [], aliases: new Map() });
  const twice = parse(`
    [[registry]]
    prefix = "a.example"
    location = "first.example"
    [[registry]]
    prefix = "a.example"
    location = "second.example"
  `);
  expect(twice.registries.map(({ location }) => location)).toEqual(["first.example"]);
});

describe("what is not right names the file and the place", () => {
  test.each([
    ["broken TOML", "a = \n[b", "INVALID: /r.conf is not valid TOML: line 1, column 5: invalid value"],
    ["an entry of nothing", "[[registry]]", "INVALID: /r.conf: registry[0]: it has neither location nor prefix"],
    [
      "a prefix alone",
      '[[registry]]\nprefix = "a.example"',
      "INVALID: /r.conf: registry[0]: it has a prefix and no location",
    ],
    [
      "a URL",
      '[[registry]]\nlocation = "https://a.example/"',
      'INVALID: /r.conf: registry[0].location: it is a URL (write "a.example")',
    ],
    [
      "a wildcard with a path",
      '[[registry]]\nprefix = "*.a.example/b"',
      'INVALID: /r.conf: registry[0].prefix: "*.a.example/b" is no wildcard (write *.example.com, and no more)',
    ],
    [
      "a mirror of nothing",
      '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\ninsecure = true',
      "INVALID: /r.conf: registry[0].mirror[0]: a mirror without a location",
    ],
    [
      "pull-from-mirror at the registry",
      '[[registry]]\nlocation = "a.example"\npull-from-mirror = "all"',
      "INVALID: /r.conf: registry[0].pull-from-mirror: it is for mirrors (move it into [[registry.mirror]])",
    ],
    [
      "an unknown pull-from-mirror",
      '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\nlocation = "b.example"\npull-from-mirror = "some"',
      'INVALID: /r.conf: registry[0].mirror[0].pull-from-mirror: "some" is none of all, digest-only, tag-only',
    ],
    [
      "both restrictions",
      '[[registry]]\nlocation = "a.example"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b.example"\npull-from-mirror = "all"',
      "INVALID: /r.conf: registry[0].mirror[0].pull-from-mirror: the registry has mirror-by-digest-only already (leave one of the two out)",
    ],
    [
      "a contradiction",
      '[[registry]]\nlocation = "a.example"\ninsecure = true\n[[registry]]\nprefix = "b.example"\nlocation = "a.example"',
      'INVALID: /r.conf: [[registry]] "a.example": a.example is there several times, insecure and not insecure',
    ],
    [
      "a wrong kind",
      '[[registry]]\nlocation = "a.example"\ninsecure = "yes"',
      "INVALID: /r.conf: registry[0].insecure is not true or false",
    ],
    ["no list", 'registry = "a"', "INVALID: /r.conf: registry is not a list of tables"],
    ...["https://ann:s3cret@a.example", "ann:s3cret@a.example"].map((location): [string, string, string] => [
      `a location with a user: ${location}`,
      `[[registry]]\nlocation = ${JSON.stringify(location)}`,
      "INVALID: /r.conf: registry[0].location: there is a user in it (leave it out: logins come from Docker's and Podman's files)",
    ]),
    [
      "a search registry with a path",
      'unqualified-search-registries = ["a.example/b"]',
      'INVALID: /r.conf: unqualified-search-registries: "a.example/b" is not a host (write host[:port])',
    ],
    [
      "an unknown mode",
      'short-name-mode = "ask"',
      'INVALID: /r.conf: short-name-mode: "ask" is none of enforcing, permissive, disabled',
    ],
    [
      "an alias to a short name",
      '[aliases]\na = "b/c"',
      'INVALID: /r.conf: aliases["a"]: "b/c" is no repository of a host (write host[:port]/repository)',
    ],
    [
      "an alias with a tag",
      '[aliases]\na = "b.example/c:1"',
      'INVALID: /r.conf: aliases["a"]: "b.example/c:1" is no repository of a host (write host[:port]/repository)',
    ],
    [
      "version 1",
      '[registries.search]\nregistries = ["a.example"]\n[registries.insecure]\nregistries = ["b.example"]\n[registries.block]\nregistries = ["c.example"]',
      'INVALID: /r.conf: it is written in version 1 of the format (write version 2 in its place: unqualified-search-registries = ["a.example"]; [[registry]] location = "b.example", insecure = true; [[registry]] location = "c.example", blocked = true)',
    ],
    [
      "both versions",
      '[registries.search]\nregistries = []\n[[registry]]\nlocation = "a.example"',
      "INVALID: /r.conf: it is written in version 1 of the format, and in version 2 too (take [registries.*] out)",
    ],
  ])("%s", (_, text, expected) => {
    expect(fault("", () => parse(text))).toBe(expected);
  });

  test("whatever the text, nothing else is thrown", () => {
    const keys = fc.constantFrom("registry", "prefix", "location", "aliases", "mirror", "registries", "a");
    const line = fc.oneof(
      fc.string(),
      fc.tuple(keys, fc.constantFrom("=", ".", "]"), fc.json()).map((parts) => parts.join(" ")),
      keys.map((key) => `[[${key}]]`),
    );
    const attempt = (text: string): void => {
      try {
        parse(text);
      } catch (error) {
        if (!isRegistryError(error, "INVALID")) throw error;
      }
    };
    fc.assert(
      fc.property(
        fc.array(line).map((lines) => lines.join("\n")),
        attempt,
      ),
    );
  });
});

describe("a prefix", () => {
  test.each([
    ["a.example", "a.example", 9],
    ["a.example/x", "a.example", 9],
    ["a.example:5000/x", "a.example", 9],
    ["a.example.org/x", "a.example", undefined],
    ["a.example", "a.example/x", undefined],
    ["a.example/xy", "a.example/x", undefined],
    ["x.a.example/y", "*.a.example", 11],
    ["x.y.a.example:5000/z", "*.a.example", 13],
    ["a.example/y", "*.a.example", undefined],
    ["b.example/x.a.example", "*.a.example", undefined],
    ["x.a.example.org/y", "*.a.example", undefined],
    ["xa.example/y", "*.a.example", undefined],
  ])("of %s: %s stands for %s characters", (name, prefix, length) => {
    expect(matchedLength(name, prefix)).toBe(length);
  });

  test("gives way to a longer one", () => {
    const { registries } = parse(
      ["docker.io", "docker.io/library", "docker.io/library/alpine"]
        .map((location) => `[[registry]]\nlocation = "${location}"\n`)
        .join(""),
    );
    const found = (name: string): string | undefined => findRegistry(registries, name)?.prefix;
    expect(found("docker.io/library/alpine")).toBe("docker.io/library/alpine");
    expect(found("docker.io/library/alpine-git")).toBe("docker.io/library");
    expect(found("docker.io/team/app")).toBe("docker.io");
    expect(found("ghcr.io/team/app")).toBeUndefined();
  });

  test("gives way to one that is as long, and before it in byte order, as in containers/image", () => {
    const { registries } = parse('[[registry]]\nlocation = "b.example"\n[[registry]]\nprefix = "*.example"\n');
    expect(findRegistry(registries, "b.example/x")?.prefix).toBe("*.example");
  });

  test.each([
    ["a.example/x/y", "a.example/x", "b.example", "b.example/y"],
    ["x.a.example/y", "*.a.example", "b.example/mirror", "b.example/mirror/y"],
    ["x.a.example/y", "*.a.example", "", "x.a.example/y"],
  ])("of %s: %s becomes %j", (name, prefix, location, expected) => {
    expect(relocated(name, prefix, location)).toBe(expected);
  });
});
