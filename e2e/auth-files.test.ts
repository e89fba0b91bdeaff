import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dockerConfigSource } from "../src/auth/docker-config-source.ts";
import { apiHost, parseReference } from "../src/oci/reference.ts";
import { describeWith, peer } from "./support/peers.ts";
import { run } from "./support/run.ts";

let work: string;
beforeAll(async () => void (work = await mkdtemp(join(tmpdir(), "gantry-e2e-auth-"))));
afterAll(() => rm(work, { recursive: true, force: true }));

const places = [
  "r.example",
  "r.example/a",
  "r.example/a/b",
  "r.example/a/b/c",
  "r.example/ab",
  "r.example:5000",
  "r.example:5000/a",
  "eu.r.example",
  "localhost:5000",
  "docker.io",
  "docker.io/library/alpine",
  "docker.io/acme/app",
];

/** Keys of which at most one is taken: to have two of one kind is undefined in both programs. */
const keys: readonly (readonly string[])[] = [
  ["r.example"],
  ["https://r.example", "http://r.example", "https://r.example/v1/", "http://r.example/v2/", "https://r.example/"],
  ["r.example/a"],
  ["r.example/a/b"],
  ["r.example/a/b/c"],
  ["r.example/a/b/c/d"],
  ["r.example:5000"],
  ["https://r.example:5000/v1/"],
  ["r.example:5000/a"],
  ["eu.r.example"],
  ["r.example.evil.test", "example", "https://example"],
  ["localhost:5000", "http://localhost:5000"],
  ["docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"],
  ["docker.io/library"],
  ["docker.io/acme/app"],
];

/** What is written under each key; its user is the key's. */
function configOf(chosen: readonly string[]): string {
  const auths = chosen.map((key) => [key, { auth: Buffer.from(`${key.replaceAll(":", "_")}:pw`).toString("base64") }]);
  return JSON.stringify({ auths: Object.fromEntries(auths) });
}

async function ours(file: string, place: string): Promise<string | undefined> {
  const slash = place.indexOf("/");
  const { registry, repository } = slash < 0 ? { registry: place, repository: "" } : parseReference(place);
  const credential = await dockerConfigSource(file).find(apiHost(registry), repository);
  return credential?.kind === "basic" ? credential.username : undefined;
}

describeWith("skopeo", "files of logins are read as skopeo reads them", () => {
  const theirs = async (file: string, place: string): Promise<string | undefined> => {
    const { code, stdout, stderr } = await run(peer("skopeo")!.path, [
      "login",
      "--get-login",
      "--authfile",
      file,
      place,
    ]);
    if (code !== 0) expect(stderr).toContain("not logged in");
    return code === 0 ? stdout.trim() : undefined;
  };

  test("whatever the keys, each place gets the same login", { timeout: 300_000 }, async () => {
    const chosen = fc.tuple(...keys.map((kind) => fc.option(fc.constantFrom(...kind), { nil: undefined })));
    let turn = 0;
    await fc.assert(
      fc.asyncProperty(chosen, fc.subarray(places, { minLength: 4, maxLength: 4 }), async (some, asked) => {
        const file = join(work, `auth-${turn++}.json`);
        await writeFile(file, configOf(some.filter((key) => key !== undefined)));
        for (const place of asked) expect([place, await ours(file, place)]).toEqual([place, await theirs(file, place)]);
      }),
      { numRuns: 60 },
    );
  });
});
