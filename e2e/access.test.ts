import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hash } from "bcryptjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, openClients } from "./support/clients.ts";
import { makeImage, type Made, type MadeImage } from "./support/images.ts";
import { describeWith, peer } from "./support/peers.ts";
import { type RunningRegistry, startGantryRegistry } from "./support/registries.ts";
import { must, run } from "./support/run.ts";

// Anybody may pull, users may push: the mixture that Basic authentication alone cannot offer to these clients.
const password = "correct horse";
const clientNames = ["skopeo", "podman", "buildah", "crane", "regctl", "oras", "docker"] as const;

let work: string;
let registry: RunningRegistry;
let host: string;
let image: MadeImage;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-access-"));
  image = await makeImage(join(work, "layout"), { tag: "v1", platforms: ["linux/amd64", "linux/arm64/v8"] });
  await writeUsers(clientNames);
  registry = await startGantryRegistry({ args: ["--htpasswd", join(work, "users"), "--anonymous-pull"] });
  ({ host } = registry);
  await push("base", "skopeo");
});
afterAll(async () => {
  await registry?.stop();
  await rm(work, { recursive: true, force: true });
});

/** One user for each client, as failed logins are limited by user. */
async function writeUsers(names: readonly string[]): Promise<void> {
  const lines = names.map(async (name) => `${name}:${await hash(password, 5)}\n`);
  await writeFile(join(work, "users"), (await Promise.all(lines)).join(""));
}

/** Pushes the image as the oldest scripts do: Basic credentials with every request, no token asked for. */
async function push(name: string, user: string): Promise<void> {
  const authorization = `Basic ${btoa(`${user}:${password}`)}`;
  const send = async (method: string, path: string, { digest, mediaType }: Made): Promise<void> => {
    const body = await readFile(join(work, "layout", "blobs", ...digest.split(":")));
    const headers = { authorization, "content-type": mediaType };
    const { status } = await fetch(`http://${host}/v2/${name}${path}`, { method, headers, body });
    expect(status).toBe(201);
  };
  for (const blob of image.blobs) await send("POST", `/blobs/uploads/?digest=${blob.digest}`, blob);
  for (const manifest of image.manifests) await send("PUT", `/manifests/${manifest.digest}`, manifest);
  await send("PUT", "/manifests/v1", image.root);
}

async function status(path: string, authorization?: string): Promise<number> {
  const headers = authorization === undefined ? {} : { authorization };
  return (await fetch(`http://${host}${path}`, { headers })).status;
}

test("without a token nothing is given, to nobody", async () => {
  expect(await status("/v2/")).toBe(401);
  expect(await status("/v2/base/manifests/v1")).toBe(401);
  expect(await status("/v2/base/manifests/v1", `Basic ${btoa(`skopeo:wrong`)}`)).toBe(401);
});

test("a mistake in the file of users is told to the log, and not to strangers", async () => {
  await writeFile(join(work, "users"), "skopeo:$apr1$abc\n");
  const answer = await fetch(`http://${host}/v2/`, {
    headers: { authorization: `Basic ${btoa(`skopeo:${password}`)}` },
  });
  expect(answer.status).toBe(503);
  expect(await answer.text()).not.toContain("users,");
  await expect.poll(() => registry.log()).toContain(`${join(work, "users")}, line 1: user skopeo has an MD5 hash`);
  await writeUsers(clientNames);
  await push("base", "skopeo");
});

interface Case {
  readonly name: keyof Clients;
  readonly login: readonly string[];
  /** Takes FROM and leaves it in DIR. */
  readonly pull: readonly string[];
  /** Pushes what was pulled, or the layout, to TO. */
  readonly push: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: "skopeo",
    login: ["login"],
    pull: ["copy", "--all", "docker://FROM", "dir:DIR"],
    push: ["copy", "--all", "oci:LAYOUT:v1", "docker://TO"],
  },
  { name: "podman", login: ["login"], pull: ["pull", "FROM"], push: ["push", "FROM", "TO"] },
  { name: "buildah", login: ["login"], pull: ["pull", "FROM"], push: ["push", "FROM", "docker://TO"] },
  {
    name: "crane",
    login: ["auth", "login"],
    pull: ["pull", "FROM", "DIR.tar"],
    push: ["push", "LAYOUT", "TO", "--index"],
  },
  {
    name: "regctl",
    login: ["registry", "login"],
    pull: ["image", "copy", "FROM", "ocidir://DIR:v1"],
    push: ["image", "copy", "ocidir://LAYOUT:v1", "TO"],
  },
  {
    name: "oras",
    login: ["login"],
    pull: ["copy", "--to-oci-layout", "FROM", "DIR:v1"],
    push: ["copy", "--from-oci-layout", "LAYOUT:v1", "TO"],
  },
];

for (const { name, login, pull, push } of cases) {
  describeWith(name, name, () => {
    let clients: Clients;
    const words: Record<string, string> = {};
    const client = (args: readonly string[]): ReturnType<Clients["skopeo"]> =>
      clients[name](...args.map((arg) => arg.replace(/FROM|TO|DIR|LAYOUT/, (word) => words[word] ?? word)));

    beforeAll(async () => {
      clients = await openClients(join(work, name));
      await mkdir(join(work, "out"), { recursive: true });
      words["FROM"] = `${host}/base:v1`;
      words["TO"] = `${host}/by/${name}:v1`;
      words["DIR"] = join(work, "out", name);
      words["LAYOUT"] = join(work, "layout");
    });

    test("pulls without a login", async () => {
      await must(client(pull));
    });

    test("is refused a push without a login, and says why", async () => {
      const { code, stderr } = await client(push);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/unauthorized|authentication required|access to the resource is denied|401/i);
    });

    // crane's login only writes the password down.
    if (name !== "crane") {
      test("is refused a login with a wrong password", async () => {
        expect((await client([...login, "-u", name, "-p", "wrong", host])).code).not.toBe(0);
      });
    }

    test("logs in, pushes and pulls, until its user is removed", async () => {
      await must(client([...login, "-u", name, "-p", password, host]));
      await must(client(push));
      await must(client(pull));
      await writeUsers(clientNames.filter((user) => user !== name));
      expect((await client(push)).code).not.toBe(0);
      await writeUsers(clientNames);
      await must(client(push));
    });
  });
}

describeWith(["docker", "skopeo"], "docker", () => {
  test("logs in without an engine, and gets a token for its password, which skopeo goes on with until the password is changed", async () => {
    const clients = await openClients(join(work, "docker"));
    const config = join(work, "docker", ".docker");
    const docker = peer("docker")?.path ?? "";
    // A file that has a login is one that docker adds to, whatever helpers are installed.
    await mkdir(config, { recursive: true });
    await writeFile(join(config, "config.json"), JSON.stringify({ auths: { "registry.example": {} } }));
    const args = ["--config", config, "login", "-u", "docker", "-p", password, host];
    await must(run(docker, args, { env: { HOME: join(work, "docker") } }));
    const stored: unknown = JSON.parse(await readFile(join(config, "config.json"), "utf8"));
    expect(stored).toMatchObject({ auths: { [host]: { auth: btoa("docker:"), identitytoken: expect.any(String) } } });
    const copy = (): ReturnType<Clients["skopeo"]> =>
      clients.skopeo("copy", `oci:${join(work, "layout")}:v1`, `docker://${host}/by/docker:v1`);
    await must(copy());
    await writeUsers(clientNames);
    expect((await copy()).code, "the same password, hashed again").not.toBe(0);
  });
});
