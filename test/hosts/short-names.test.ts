import { describe, expect, test } from "vitest";
import { parseRegistriesConf } from "../../src/hosts/registries-conf.ts";
import { qualified } from "../../src/hosts/short-names.ts";
import { formatReference, parseReference } from "../../src/oci/reference.ts";
import { fault } from "./machine.ts";

const digest = `sha256:${"a".repeat(64)}`;
const read = (text: string, conf: string): string =>
  formatReference(qualified(text, parseReference(text), parseRegistriesConf(conf, "/r.conf")));

const aliases = '[aliases]\nalpine = "quay.example/alpine"\n"team/app" = "docker.io/app"\ngone = ""\n';

describe("an alias or the one search registry says where a short name is", () => {
  test.each([
    ["alpine", "quay.example/alpine"],
    ["alpine:3", "quay.example/alpine:3"],
    [`alpine:3@${digest}`, `quay.example/alpine:3@${digest}`],
    ["team/app", "docker.io/library/app"],
    ["library/alpine", "search.example:5000/library/alpine"],
    ["gone", "search.example:5000/gone"],
    ["other:1", "search.example:5000/other:1"],
    ["docker.io/alpine", "docker.io/library/alpine"],
    ["localhost/alpine", "localhost/alpine"],
    ["registry:5000/alpine", "registry:5000/alpine"],
  ])("%s is %s", (text, expected) => {
    expect(read(text, `unqualified-search-registries = ["search.example:5000"]\n${aliases}`)).toBe(expected);
  });

  test("of Docker Hub too", () => {
    expect(read("alpine", 'unqualified-search-registries = ["docker.io"]')).toBe("docker.io/library/alpine");
  });
});

test("several candidates are told, and none is tried, in every mode", () => {
  for (const mode of ["enforcing", "permissive", "disabled"]) {
    const conf = `unqualified-search-registries = ["a.example", "b.example"]\nshort-name-mode = "${mode}"`;
    expect(fault("", () => read("app:1", conf))).toBe(
      "INVALID: app is a short name, and may be any of a.example/app, b.example/app (/r.conf: unqualified-search-registries) " +
        '(write one of them in full, or make it an alias: [aliases] "app" = "a.example/app")',
    );
  }
});

test("no candidate is told too", () => {
  expect(fault("", () => read("app", ""))).toBe(
    "INVALID: app is a short name: no alias and no search registry says where it is " +
      "(write its registry before it, or set unqualified-search-registries in registries.conf)",
  );
});
