import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fixedSource, parseUserPassword } from "../src/auth/flags.ts";
import type { CredentialSource } from "../src/auth/credential.ts";
import { createClient, type Client, type ClientOptions } from "../src/client.ts";
import type { Event } from "../src/events.ts";
import { isRegistryError } from "../src/oci/error.ts";
import { memoryStore } from "../src/store/memory.ts";
import { copier } from "../src/graph/copy.ts";
import { testRegistry, type TestRegistry } from "./cli/support.ts";
import { faultyProxy, type FaultRule } from "./support/faults.ts";
import * as images from "./support/images.ts";
import { temporaryDirectory } from "./support/temporary.ts";
import { answer, listen } from "./transport/listen.ts";

const app = images.twoPlatforms("app");
const layer = app.children[0]!.blobs[1]!.descriptor;

interface Scene {
  readonly client: Client;
  readonly events: Event[];
  /** `host METHOD path` of each request so far. */
  readonly requests: () => readonly string[];
}

/** A client for one test, with no files of the user's but those that its home has. */
async function scene(options: ClientOptions = {}): Promise<Scene> {
  const events: Event[] = [];
  const env = { HOME: await temporaryDirectory(), ...options.env };
  const client = createClient({ retries: 0, ...options, env, onEvent: (event) => void events.push(event) });
  onTestFinished(() => client.close());
  const requests = (): readonly string[] =>
    events.flatMap((event) =>
      event.type === "request" ? [`${event.host} ${event.method} ${new URL(event.url).pathname}`] : [],
    );
  return { client, events, requests };
}

async function registryWith(image?: images.TestImage): Promise<TestRegistry> {
  const registry = await testRegistry();
  if (image) await images.putImage(registry.store("app"), image, "1");
  return registry;
}

async function proxyBefore(upstream: string, rules: readonly FaultRule[]): Promise<string> {
  const proxy = await faultyProxy(upstream, rules);
  onTestFinished(() => proxy.close());
  return proxy.host;
}

/** Copies an image into memory, and says what arrived. */
async function pull({ client }: Scene, from: string): Promise<string | undefined> {
  const source = client.open(from, "pull");
  const into = memoryStore();
  const [outcome] = await copier(source.store, [{ store: into, tags: ["1"] }]).copy(source.ref!);
  if (outcome && "error" in outcome) throw outcome.error;
  return (await into.head("1"))?.digest;
}

test("manifests and blobs come from the mirror; what is attached is asked of the place itself, which moves no image", async () => {
  const [origin, mirror] = [await registryWith(app), await registryWith(app)];
  const at = await scene({ hosts: { [origin.host]: { mirrors: [mirror.host] } } });
  expect(await pull(at, `${origin.host}/app:1`)).toBe(app.manifest.descriptor.digest);
  const paths = (host: string): string[] =>
    at.requests().flatMap((line) => (line.startsWith(`${host} `) ? [line.split("/")[3]!] : []));
  expect(new Set(paths(mirror.host))).toEqual(new Set(["manifests", "blobs"]));
  expect(paths(origin.host)).not.toContain("blobs");
});

test("what is written is never asked of a mirror: a push is whole though the mirror has everything", async () => {
  const [origin, mirror] = [await registryWith(), await registryWith(app)];
  const { client, requests } = await scene({ hosts: { [origin.host]: { mirrors: [mirror.host] } } });
  const outcome = await client.copy(`${mirror.host}/app:1`, `${origin.host}/app:2`);
  expect(outcome.failures).toEqual([]);
  expect((await origin.store("app").manifest("2"))?.descriptor).toEqual(app.manifest.descriptor);
  for (const child of app.children) {
    for (const { descriptor } of child.blobs) expect(await origin.store("app").size(descriptor.digest)).toBeDefined();
  }
  const { store } = client.open(`${origin.host}/app`);
  await store.deleteTag("2");
  expect(await store.head("2")).toBeUndefined();
  expect(requests().filter((line) => line.startsWith(mirror.host) && !/GET|HEAD/.test(line))).toEqual([]);
});

describe("a mirror that is no help", () => {
  test("because nothing listens there", async () => {
    const origin = await registryWith(app);
    const { host: gone } = await listen(() => {}).then(async (server) => {
      await server[Symbol.asyncDispose]();
      return server.url;
    });
    const at = await scene({ hosts: { [origin.host]: { mirrors: [gone] } } });
    expect(await pull(at, `${origin.host}/app:1`)).toBe(app.manifest.descriptor.digest);
    expect(at.events.filter(({ type }) => type === "mirror")).toMatchObject([
      { host: origin.host, mirror: gone, error: "NETWORK", ms: 60_000 },
    ]);
  });

  test("because it accepts and never answers", async () => {
    const origin = await registryWith(app);
    const silent = await new Promise<Server>((resolve) => {
      const server = createServer((socket) => void socket.on("error", () => {})).listen(0, "127.0.0.1", () =>
        resolve(server),
      );
    });
    const { port } = silent.address() as { port: number };
    const mirror = `127.0.0.1:${port}`;
    const timeouts = { answer: 200 };
    const at = await scene({ hosts: { [origin.host]: { mirrors: [mirror] }, [mirror]: { timeouts } } });
    onTestFinished(() => void silent.close());
    expect(await pull(at, `${origin.host}/app:1`)).toBe(app.manifest.descriptor.digest);
    expect(at.events.filter(({ type }) => type === "mirror")).toMatchObject([{ mirror, error: "TIMEOUT" }]);
  }, 60_000);

  test("because it has other images", async () => {
    const [origin, mirror] = [await registryWith(app), await registryWith()];
    const at = await scene({ hosts: { [origin.host]: { mirrors: [mirror.host] } } });
    expect(await pull(at, `${origin.host}/app:1`)).toBe(app.manifest.descriptor.digest);
    expect(at.events.filter(({ type }) => type === "mirror")).toEqual([]);
  });

  test("because it goes away in the middle of a blob: the rest comes from the place itself", async () => {
    const big = images.image("big", { layers: 1, layerSize: 3_000_000 });
    const [origin, upstream] = [await registryWith(big), await registryWith(big)];
    const mirror = await proxyBefore(upstream.host, [
      {
        match: (_, url) => url.includes(big.blobs[1]!.descriptor.digest),
        do: { fault: "drop", on: "response", at: 1_500_000 },
      },
    ]);
    const at = await scene({ hosts: { [origin.host]: { mirrors: [mirror] } } });
    expect(await pull(at, `${origin.host}/app:1`)).toBe(big.manifest.descriptor.digest);
    expect(
      at.requests().filter((line) => line.startsWith(`${origin.host} GET`) && line.includes("/blobs/")),
    ).toHaveLength(1);
  });
});

describe("a mirror that lies", () => {
  test("about a manifest by digest is passed over; by tag it is believed, as its registry would be", async () => {
    const other = images.image("other");
    const [origin, upstream] = [await registryWith(app), await registryWith(other)];
    await images.putImage(upstream.store("app"), app, "right");
    const mirror = await proxyBefore(upstream.host, [
      { match: (_, url) => url.includes("/manifests/sha256:"), do: { fault: "corrupt", on: "response", at: 5 } },
    ]);
    const at = await scene({ hosts: { [origin.host]: { mirrors: [mirror] } } });
    const { digest } = app.manifest.descriptor;
    expect(await pull(at, `${origin.host}/app@${digest}`)).toBe(digest);
    expect(at.events.filter(({ type }) => type === "mirror")).toMatchObject([{ error: "UNVERIFIED" }]);
    const fresh = await scene({ hosts: { [origin.host]: { mirrors: [upstream.host] } } });
    expect(await pull(fresh, `${origin.host}/app:1`)).toBe(other.manifest.descriptor.digest);
  });

  test("about a blob is not believed, and is named", async () => {
    const [origin, upstream] = [await registryWith(app), await registryWith(app)];
    const mirror = await proxyBefore(upstream.host, [
      { match: (_, url) => url.includes(layer.digest), do: { fault: "corrupt", on: "response", at: 500 } },
    ]);
    const at = await scene({ hosts: { [origin.host]: { mirrors: [mirror] } } });
    const error = await pull(at, `${origin.host}/app:1`).catch((caught: unknown) => caught);
    expect(isRegistryError(error, "UNVERIFIED")).toBe(true);
    expect((error as Error).message).toContain(`from its mirror ${mirror}`);
    const without = await scene({ hosts: { [origin.host]: { mirrors: [mirror] } }, mirrors: false });
    expect(await pull(without, `${origin.host}/app:1`)).toBe(app.manifest.descriptor.digest);
    expect(without.requests().some((line) => line.startsWith(mirror))).toBe(false);
  });
});

test("each host gets its own credentials, by its own paths, and never the other's", async () => {
  const seen: Record<string, Set<string>> = { origin: new Set(), mirror: new Set() };
  const locked = (name: string): ReturnType<typeof listen> =>
    listen((request, response) => {
      const { authorization } = request.headers;
      if (authorization === undefined) return answer(response, 401, "", { "www-authenticate": 'Basic realm="x"' });
      seen[name]!.add(Buffer.from(authorization.slice(6), "base64").toString());
      answer(response, name === "mirror" ? 403 : 404);
    });
  await using origin = await locked("origin");
  await using mirror = await locked("mirror");
  const asked: string[] = [];
  const credentials: CredentialSource = {
    name: "test",
    find: async (host, path) => {
      asked.push(`${host === origin.url.host ? "origin" : "mirror"}/${path}`);
      return parseUserPassword(host === origin.url.host ? "o:origin" : "m:mirror", "--creds");
    },
  };
  const hosts = { [origin.url.host]: { mirrors: [`${mirror.url.host}/cache`] } };
  const { client } = await scene({ hosts, credentials: [credentials] });
  await client.open(`${origin.url.host}/team/app`, "pull").store.head("1");
  expect(seen).toEqual({ origin: new Set(["o:origin"]), mirror: new Set(["m:mirror"]) });
  expect(new Set(asked)).toEqual(new Set(["mirror/cache/team/app", "origin/team/app"]));
});

test("a mirror below a path, with tokens: the path comes before the API, and the scope is the repository's", async () => {
  const scopes: (string | null)[] = [];
  await using mirror = await listen((request, response) => {
    const url = new URL(request.url!, "http://mirror");
    if (url.pathname === "/token") {
      scopes.push(url.searchParams.get("scope"));
      return answer(response, 200, JSON.stringify({ token: "t" }));
    }
    if (request.headers.authorization !== "Bearer t") {
      return answer(response, 401, "", { "www-authenticate": `Bearer realm="${mirror.url.href}token",service="s"` });
    }
    const found = url.pathname === "/hub/v2/library/alpine/manifests/1" && url.searchParams.get("ns") === "docker.io";
    answer(response, found ? 200 : 404, "", {
      "content-type": app.manifest.descriptor.mediaType,
      "docker-content-digest": app.manifest.descriptor.digest,
    });
  });
  const directory = join(await temporaryDirectory(), "certs.d");
  await mkdir(join(directory, "docker.io"), { recursive: true });
  await writeFile(join(directory, "docker.io", "hosts.toml"), `[host."${mirror.url.href}hub"]\n`);
  const { client, requests } = await scene({
    containerdCertsDir: directory,
    credentials: [fixedSource("x", parseUserPassword("u:p", "--creds"))],
  });
  await client.open("alpine:1", "pull").store.head("1");
  expect(scopes).toEqual(["repository:library/alpine:pull"]);
  expect(requests()).toContain(`${mirror.url.host} HEAD /hub/v2/library/alpine/manifests/1`);
});

describe("registries.conf", () => {
  const conf = async (text: string): Promise<string> => {
    const file = join(await temporaryDirectory(), "registries.conf");
    await writeFile(file, text);
    return file;
  };

  test("moves what is pulled, and nothing else", async () => {
    const [named, moved] = [await registryWith(), await registryWith(app)];
    const registriesConf = await conf(`[[registry]]\nprefix = "${named.host}/x"\nlocation = "${moved.host}"\n`);
    const at = await scene({ registriesConf, mirrors: false });
    expect(await pull(at, `${named.host}/x/app:1`)).toBe(app.manifest.descriptor.digest);
    expect((await at.client.copy(`${named.host}/x/app:1`, `${named.host}/x/app:2`)).failures).toEqual([]);
    expect(await named.store("x/app").head("2")).toEqual(app.manifest.descriptor);
    expect(await moved.store("app").head("2")).toBeUndefined();
  });

  test("blocks before any request, to read and to write", async () => {
    const origin = await registryWith(app);
    const registriesConf = await conf(`[[registry]]\nlocation = "${origin.host}/app"\nblocked = true\n`);
    const { client, requests } = await scene({ registriesConf });
    const blocked = { code: "DENIED", message: expect.stringContaining(registriesConf) as string };
    await expect(client.open(`${origin.host}/app`, "pull").store.head("1")).rejects.toMatchObject(blocked);
    await expect(client.open(`${origin.host}/app`).store.deleteTag("1")).rejects.toMatchObject(blocked);
    expect(requests()).toEqual([]);
    expect(await client.open(`${origin.host}/other`).store.head("1")).toBeUndefined();
  });

  test("says what short names mean, where that is asked for", async () => {
    const registriesConf = await conf(
      'unqualified-search-registries = ["search.example"]\n[aliases]\na = "b.example/c"\n',
    );
    const open = async (text: string, shortNames?: "containers"): Promise<string> =>
      (await scene({ registriesConf, ...(shortNames && { shortNames }) })).client.open(text).name;
    expect(await open("a:1")).toBe("docker.io/library/a:1");
    expect(await open("a:1", "containers")).toBe("b.example/c:1");
    expect(await open("docker://x/y", "containers")).toBe("search.example/x/y");
    expect(await open("oci:a:1", "containers")).toBe("oci:a:1");
  });

  test("that is broken is told when it is needed, and only then", async () => {
    const { client } = await scene({ registriesConf: await conf("[[registry]]\nlocation = 1") });
    const { store } = client.open("registry.example/app");
    await expect(store.head("1")).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining("registry[0].location is not a text") as string,
    });
  });
});
