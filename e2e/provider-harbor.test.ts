import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRegistryError } from "../src/oci/error.ts";
import { collect, streamOf } from "../src/oci/stream.ts";
import { Secret } from "../src/auth/secret.ts";
import { harbor } from "../src/provider/harbor/provider.ts";
import type { ServiceRegistry } from "../src/provider/service.ts";
import type { Transport } from "../src/transport/transport.ts";
import { serviceContext } from "../test/provider/support.ts";
import { instantClock } from "../test/support/instant-clock.ts";
import { describeWith, peer } from "./support/peers.ts";
import { root, start, type Running } from "./support/run.ts";

const spec = [join(root, "../shared/specs"), join(root, "../../shared/specs")]
  .map((folder) => join(folder, "harbor-v2.0.yaml"))
  .find((path) => existsSync(path));

const digest = `sha256:${"a".repeat(64)}` as const;
// The specification says that parameters of rules are objects; in Harbor they are numbers. This rule has none.
const policy = {
  algorithm: "or",
  trigger: { kind: "Schedule", settings: { cron: "" } },
  rules: [
    {
      action: "retain",
      template: "always",
      params: {},
      tag_selectors: [{ kind: "doublestar", decoration: "matches", pattern: "**" }],
      scope_selectors: { repository: [{ kind: "doublestar", decoration: "repoMatches", pattern: "**" }] },
    },
  ],
};
const rule = {
  id: 3,
  disabled: true,
  tag_selectors: [{ kind: "doublestar", decoration: "matches", pattern: "**" }],
  scope_selectors: { repository: [{ kind: "doublestar", decoration: "repoMatches", pattern: "app" }] },
};

/** What Prism cannot make up, by the beginnings of what is asked; Prism is asked all the same. */
interface Told {
  readonly prefer?: string;
  readonly answer?: unknown;
  readonly location?: string;
}

const told: Readonly<Record<string, Told>> = {
  "POST /projects": { prefer: "code=201" },
  "POST /retentions/5/executions": { prefer: "code=201", location: "/api/v2.0/retentions/5/executions/9" },
  "GET /retentions/5/executions/9/tasks/11": { prefer: "code=200" },
  "GET /retentions/5/executions/9/tasks": { answer: [{ id: 11, repository: "app", status: "Success" }] },
  "GET /retentions/5/executions": { answer: [{ id: 9, status: "Success" }] },
  "GET /retentions/5": { answer: { ...policy, id: 5 } },
};
const withPolicy: typeof told = {
  ...told,
  "GET /projects/lib": { answer: { project_id: 7, metadata: { retention_id: "5" } } },
};
const withRules: typeof told = {
  ...told,
  "GET /projects/lib/immutabletagrules": { answer: [rule, { ...rule, id: 4 }] },
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Sends to Prism what is meant for a Harbor: it has the API at its root. */
function toPrism(origin: string, asked: string[], known: typeof told): Transport {
  return async ({ method, url, headers, body }) => {
    const path = url.pathname.replace("/api/v2.0", "") + url.search;
    const [, { prefer, answer, location } = {}] =
      Object.entries(known).find(([begin]) => `${method} ${path}`.startsWith(begin)) ?? [];
    const bytes = body && (await collect(await body.open(), 1 << 20));
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { ...headers, ...(prefer !== undefined && { prefer }) },
      ...(bytes && { body: bytes as Uint8Array<ArrayBuffer> }),
      redirect: "error",
    });
    asked.push(`${response.status} ${method} ${path}`);
    const came = Buffer.from(await response.arrayBuffer());
    return {
      status: response.status,
      headers: { ...Object.fromEntries(response.headers), ...(location !== undefined && { location }) },
      body: streamOf(response.ok && answer !== undefined ? Buffer.from(JSON.stringify(answer)) : came),
    };
  };
}

describeWith("prism", "Harbor's published API", () => {
  describe.skipIf(spec === undefined)("as goharbor/harbor's swagger.yaml has it, in the shared specifications", () => {
    let prism: Running;
    let origin: string;

    beforeAll(async () => {
      const port = await freePort();
      origin = `http://127.0.0.1:${port}`;
      prism = start(peer("prism")!.path, ["mock", "--errors", "--host", "127.0.0.1", "--port", String(port), spec!]);
      while (!prism.stdout().includes("Prism is listening")) {
        if (!prism.alive()) throw new Error(`Prism ended: ${prism.stdout()}${prism.stderr()}`);
        await delay(100);
      }
    }, 120_000);
    afterAll(async () => {
      await prism?.stop();
    });

    /** Uses the service, and gives what was asked of it; Prism refuses what the specification does not have. */
    const asks = async (use: (service: ServiceRegistry) => Promise<unknown>, known = told): Promise<string[]> => {
      const asked: string[] = [];
      const service = await harbor.connect(
        serviceContext("harbor.example", {
          transport: toPrism(origin, asked, known),
          clock: instantClock(),
          credential: { kind: "basic", username: "robot$lib+ci", password: new Secret("pw") },
        }),
      );
      await use(service);
      expect(asked.filter((line) => !line.startsWith("2"))).toEqual([]);
      return asked.map((line) => line.slice("200 ".length));
    };

    test.each<[string, (service: ServiceRegistry) => Promise<unknown>]>([
      ["all repositories", (one) => Array.fromAsync(one.listRepositories())],
      ["those of a project", (one) => Array.fromAsync(one.listRepositories("lib/app"))],
      ["a repository", (one) => one.describeRepository("lib.io/team/app")],
      ["search", (one) => Array.fromAsync(one.search({ term: "app", limit: 5 }))],
      ["a new project", (one) => one.createRepository("lib/app")],
      ["deleting a repository", (one) => one.deleteRepository("lib/team/app", { force: true })],
      ["images", (one) => Array.fromAsync(one.images("lib/team/app"))],
      ["deleting a tag", (one) => one.deleteTag("lib/app", "v1")],
      ["deleting manifests", (one) => Array.fromAsync(one.deleteManifests("lib/app", [digest]))],
      ["immutability", (one) => one.immutability("lib/app")],
      ["setting immutability", (one) => one.setImmutability("lib/app", { tags: "immutable", except: ["dev-*"] })],
      ["a lifecycle policy", (one) => one.lifecycle("lib/app")],
      ["setting a lifecycle policy", (one) => one.setLifecycle("lib/app", policy)],
      ["replication", (one) => Array.fromAsync(one.replication())],
      ["quotas", (one) => one.allowances()],
    ])("%s", async (_, use) => {
      expect((await asks(use)).length).toBeGreaterThan(0);
    });

    test("a policy that is set is read, replaced, removed and run without deleting", async () => {
      const name = "lib/app";
      expect(await asks((one) => one.lifecycle(name), withPolicy)).toEqual(["GET /projects/lib", "GET /retentions/5"]);
      expect(await asks((one) => one.setLifecycle(name, policy), withPolicy)).toContain("PUT /retentions/5");
      expect(await asks((one) => one.deleteLifecycle(name), withPolicy)).toContain("DELETE /retentions/5");
      const previewed = await asks((one) => Array.fromAsync(one.previewLifecycle(name, policy)), withPolicy);
      expect(previewed).toContain("GET /retentions/5/executions/9/tasks/11");
    });

    test("rules that are there are switched on and removed", async () => {
      const asked = await asks((one) => one.setImmutability("lib/app", { tags: "immutable" }), withRules);
      expect(asked).toContain("PUT /projects/lib/immutabletagrules/3");
      expect(asked).toContain("DELETE /projects/lib/immutabletagrules/4");
    });

    test.each(["v1", digest])("findings of %s", async (ref) => {
      // The specification says that a report is a text; in Harbor it is an object.
      const read = (one: ServiceRegistry): Promise<unknown> =>
        one
          .findings("lib/team/app", ref)
          .catch((error: unknown) => expect(isRegistryError(error, "NETWORK")).toBe(true));
      const path = `/projects/lib/repositories/team%252Fapp/artifacts/${ref}`;
      expect(await asks(read)).toEqual([
        `GET ${path}?with_scan_overview=true&with_tag=false`,
        `GET ${path}/additions/vulnerabilities`,
      ]);
    });

    test("what the specification does not have is refused, so that these tests can fail", async () => {
      const service = await harbor.connect(
        serviceContext("harbor.example", {
          transport: (request) => {
            request.url.searchParams.set("page_size", "200");
            return toPrism(origin, [], told)(request);
          },
        }),
      );
      await expect(Array.fromAsync(service.listRepositories())).rejects.toMatchObject({ code: "INVALID", status: 400 });
    });
  });
});
