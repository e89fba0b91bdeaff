import * as fc from "fast-check";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostFiles } from "../src/hosts/host-files.ts";
import { places } from "../src/hosts/places.ts";
import { isRegistryError } from "../src/oci/error.ts";
import { hostAliases, parseReference } from "../src/oci/reference.ts";
import { describeWith, peer } from "./support/peers.ts";
import { run } from "./support/run.ts";

/** Where images would be pulled from: names (hosts alone where skopeo tells no more), or why from nowhere. */
type Verdict = readonly string[] | "blocked" | "invalid";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "gantry-e2e-hosts-"));
});
afterAll(() => rm(home, { recursive: true }));

/** No host under `.invalid` exists, and skopeo's error names all that it has tried. */
async function skopeoSays(conf: string, image: string): Promise<Verdict> {
  const args = ["--registries-conf", conf, "inspect", `docker://${image}`];
  // A name server that drops a question is not waited for.
  const quick = { GODEBUG: "netdns=cgo", RES_OPTIONS: "timeout:1 attempts:1" };
  const { stderr } = await run(peer("skopeo")!.path, args, { env: { HOME: home, XDG_CONFIG_HOME: home, ...quick } });
  if (/rewriting reference|invalid reference format/.test(stderr)) return "invalid";
  const attempts = [...stderr.matchAll(/(?:\[|\): )([^\s[\]]+): (pinging|registry)/g)];
  const tried = attempts.filter(([, , what]) => what === "pinging").map(([, name]) => nameOf(name!));
  if (attempts.length > 0) return attempts.at(-1)![2] === "registry" ? "blocked" : tried;
  if (stderr.includes("is blocked in")) return "blocked";
  const host = /pinging container registry ([^\s]+): /.exec(stderr)?.[1];
  if (host === undefined) throw new Error(`not understood: ${stderr}`);
  return [host];
}

function gantrySays(conf: string, image: string): Verdict {
  const { registry, repository, digest } = parseReference(image);
  const files = hostFiles({ env: {}, home, root: home, registriesConf: conf });
  const where = places({ files, own: () => undefined, mirrors: true });
  try {
    where.checkBlocked(registry, repository);
    return where
      .endpoints({ registry, repository, by: digest ? "digest" : "tag" })
      .map(({ base, repository: path }) => `${hostAliases(base.host)[0]}/${path}`);
  } catch (error) {
    if (isRegistryError(error)) return error.code === "DENIED" ? "blocked" : "invalid";
    throw error;
  }
}

function nameOf(text: string): string {
  const { registry, repository } = parseReference(text);
  return `${registry}/${repository}`;
}

async function compare(text: string, image: string): Promise<{ readonly ours: Verdict; readonly theirs: Verdict }> {
  const conf = join(home, "registries.conf");
  await writeFile(conf, text);
  const theirs = await skopeoSays(conf, image);
  const ours = gantrySays(conf, image);
  const isHost = typeof theirs === "object" && theirs.length === 1 && !theirs[0]!.includes("/");
  return { theirs, ours: isHost && typeof ours === "object" ? ours.map((name) => name.split("/")[0]!) : ours };
}

interface Entry {
  readonly prefix?: string;
  readonly location?: string;
  readonly insecure?: boolean;
  readonly blocked?: boolean;
  readonly byDigest?: boolean;
  readonly mirrors?: readonly string[];
}

function toml(entries: readonly Entry[]): string {
  const line = (key: string, value: string | boolean | undefined): string =>
    value === undefined || value === false ? "" : `${key} = ${JSON.stringify(value)}\n`;
  return entries
    .map(
      ({ prefix, location, insecure, blocked, byDigest, mirrors = [] }) =>
        `[[registry]]\n${line("prefix", prefix)}${line("location", location)}${line("insecure", insecure)}` +
        `${line("blocked", blocked)}${line("mirror-by-digest-only", byDigest)}` +
        mirrors.map((mirror) => `[[registry.mirror]]\n${line("location", mirror)}`).join(""),
    )
    .join("");
}

const digest = `@sha256:${"a".repeat(64)}`;
const m = ["m.invalid"];

const cases: readonly (readonly [image: string, ...entries: Entry[]])[] = [
  ["a.invalid/app:1"],
  ["a.invalid/app:1", { location: "b.invalid" }],
  ["a.invalid/app:1", { location: "a.invalid", mirrors: ["m.invalid", "n.invalid:5000/x"] }],
  ["a.invalid/team/app:1", { prefix: "a.invalid/team", location: "b.invalid/moved", mirrors: m }],
  ["a.invalid/team/app:1", { prefix: "a.invalid/team/", location: "b.invalid/moved/", mirrors: m }],
  ["a.invalid/teams/app:1", { prefix: "a.invalid/team", location: "b.invalid", mirrors: m }],
  ["a.invalid/team/app", { prefix: "a.invalid/team/app", location: "b.invalid/x", mirrors: ["m.invalid/y"] }],
  ["a.invalid/team:1", { prefix: "a.invalid/team", location: "b.invalid", mirrors: m }],
  ["a.invalid:5000/app", { prefix: "a.invalid", location: "b.invalid", mirrors: m }],
  ["a.invalid/app", { prefix: "a.invalid:5000", location: "b.invalid", mirrors: m }],
  ["x.a.invalid/app", { prefix: "*.a.invalid", mirrors: ["m.invalid/x"] }],
  ["x.y.a.invalid:5000/app", { prefix: "*.a.invalid", location: "b.invalid/z", mirrors: m }],
  ["a.invalid/app", { prefix: "*.a.invalid", location: "b.invalid", mirrors: m }],
  ["x.a.invalid/app", { prefix: "*.a.invalid", mirrors: m }, { location: "x.a.invalid", mirrors: ["n.invalid"] }],
  ["xa.invalid/app", { prefix: "*.a.invalid", mirrors: m }],
  [`a.invalid/app${digest}`, { location: "a.invalid", mirrors: m, byDigest: true }],
  ["a.invalid/app:1", { location: "a.invalid", mirrors: m, byDigest: true }],
  [
    "alpine",
    { prefix: "docker.io/alpine", location: "b.invalid", mirrors: m },
    { prefix: "docker.io", location: "c.invalid", mirrors: m },
  ],
  ["alpine", { prefix: "docker.io/library", location: "b.invalid/hub", mirrors: m }],
  ["docker.io/team/app", { prefix: "docker.io", location: "b.invalid/hub", mirrors: m }],
  ["a.invalid/app", { location: "a.invalid", blocked: true }],
  ["a.invalid/x/app", { location: "a.invalid/x", blocked: true }, { location: "a.invalid", mirrors: m }],
  ["a.invalid/y/app", { location: "a.invalid/x", blocked: true }, { location: "a.invalid", mirrors: m }],
  [
    "a.invalid/app",
    { location: "a.invalid", mirrors: ["bad.invalid", "m.invalid"] },
    { location: "bad.invalid", blocked: true },
  ],
  [
    "a.invalid/app",
    { prefix: "a.invalid", location: "b.invalid", mirrors: m },
    { location: "b.invalid", mirrors: ["n.invalid"] },
  ],
  ["a.invalid/app", { prefix: "a.invalid", location: "b.invalid/UPPER", mirrors: m }],
  ["a.invalid/app", { prefix: "a.invalid", location: "b.invalid" }, { prefix: "a.invalid", location: "c.invalid" }],
  ["a.invalid/app", { location: "a.invalid", mirrors: ["m.invalid"], insecure: true }],
];

describeWith("skopeo", "registries.conf means to us what it means to skopeo", () => {
  test.each(cases.map(([image, ...entries]) => [image, entries] as const))("%s, by %j", async (image, entries) => {
    const { ours, theirs } = await compare(toml(entries), image);
    expect(ours).toEqual(theirs);
  });

  test("blocked goes by the name that is asked for; skopeo goes by where that leads, against its own manual", async () => {
    const conf = toml([{ prefix: "a.invalid", location: "b.invalid", blocked: true }]);
    expect(await compare(conf, "a.invalid/app")).toEqual({ ours: "blocked", theirs: ["b.invalid"] });
  });

  test("whatever is in the file, and whatever is asked for", async () => {
    const host = fc.constantFrom("a.invalid", "x.a.invalid", "a.invalid:5000", "b.invalid");
    const path = fc.constantFrom("", "/t", "/t/app", "/u", "/t/app/deep");
    const place = fc.tuple(host, path).map((parts) => parts.join(""));
    const plain = fc.record({
      prefix: place,
      location: place,
      mirrors: fc.array(fc.constantFrom("m.invalid", "n.invalid/z", "n.invalid:5000"), { minLength: 1, maxLength: 2 }),
      byDigest: fc.boolean(),
    });
    const wildcard = fc.record({ prefix: fc.constantFrom("*.a.invalid", "*.invalid"), mirrors: fc.constant(m) });
    const image = fc
      .tuple(host, fc.constantFrom("/t", "/t/app", "/u/app", "/t/app/deep/er"), fc.constantFrom("", ":1", digest))
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(plain, plain, wildcard), { maxLength: 4 }), image, async (entries, name) => {
        const { ours, theirs } = await compare(toml(entries), name);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 60 },
    );
  });
});
