import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hash } from "bcryptjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authority, good, key } from "../test/doctor/certificates.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { startNginxServer } from "./support/nginx-server.ts";
import { describeWith } from "./support/peers.ts";
import { pushImage } from "./support/push.ts";
import { startDockerRegistry, startGantryRegistry, type RunningRegistry } from "./support/registries.ts";
import { gantryPath, must, run, start, type Outcome } from "./support/run.ts";

// The built command line, on registries and proxies that others wrote.
let work: string;
let image: MadeImage;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "gantry-e2e-doctor-"));
  image = await makeImage(join(work, "layout"), { tag: "1.0", platforms: ["linux/amd64"] });
  await writeFile(join(work, "ca.pem"), authority);
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** Diagnoses as a user with no logins but those in `home`. */
async function doctor(args: readonly string[], home = work): Promise<Outcome> {
  const env = { HOME: home, XDG_CONFIG_HOME: undefined, XDG_RUNTIME_DIR: undefined, DOCKER_CONFIG: undefined };
  return await run(gantryPath, ["doctor", ...args], { env: { ...env, REGISTRY_AUTH_FILE: undefined } });
}

interface Told {
  readonly check: string;
  readonly verdict: string;
  readonly message: string;
  readonly cause?: string;
  readonly ability?: string;
  readonly supported?: boolean;
}

/** What is told, and the exit code. */
async function told(...args: readonly string[]): Promise<{ readonly all: readonly Told[]; readonly code: number }> {
  const { stdout, code } = await doctor(["--format", "json", ...args]);
  return { all: JSON.parse(stdout) as Told[], code };
}

const wrong = (all: readonly Told[]): readonly Told[] => all.filter(({ verdict }) => /fault|warning/.test(verdict));
const abilities = (all: readonly Told[]): Record<string, boolean | undefined> =>
  Object.fromEntries(all.filter(({ ability }) => ability).map(({ ability, supported }) => [ability, supported]));

describeWith("docker-registry", "docker-registry, which lets anybody in", () => {
  let registry: RunningRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    await pushImage(join(work, "layout"), image, `${registry.host}/app:1.0`);
  });
  afterAll(() => registry?.stop());

  test("is fine, and what it can do is known from reading", async () => {
    const { all, code } = await told(`${registry.host}/app:1.0`);
    expect(wrong(all)).toEqual([]);
    expect(code).toBe(0);
    expect(all.find(({ check }) => check === "pull")?.message).toContain(image.root.digest);
    expect(abilities(all)).toEqual({ referrers: false, catalog: true, ranges: true, paging: undefined });
  });

  test("and, with --write-check, from an upload that leaves nothing behind", async () => {
    const { all, code } = await told("--write-check", `${registry.host}/app:1.0`);
    expect(wrong(all)).toEqual([]);
    expect(code).toBe(0);
    expect(abilities(all)).toMatchObject({ chunks: true, mount: true, untag: false });
    const uploads = join(registry.dataDir, "docker/registry/v2/repositories/app/_uploads");
    expect((await must(run("find", [uploads, "-name", "data"]))).trim()).toBe("");
  });

  test("has no such tag: 3", async () => {
    const { stdout, code } = await doctor([`${registry.host}/app:2.0`]);
    expect(code).toBe(3);
    expect(stdout).toContain(`-> gantry ls ${registry.host}/app\n`);
  });
});

describeWith("docker-registry", "docker-registry with htpasswd", () => {
  let registry: RunningRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry({ htpasswd: { ann: "s3cret" } });
  });
  afterAll(() => registry?.stop());

  test("wants a login: 4, whatever is asked for", async () => {
    for (const args of [[], ["--creds", "ann:wr0ng"]]) {
      const { stdout, code } = await doctor([...args, `${registry.host}/app:1.0`]);
      expect(code).toBe(4);
      expect(stdout).toMatch(/✗ (?:login|pull)/);
      expect(stdout).not.toContain("wr0ng");
    }
  });

  test("takes the one that Docker saved", async () => {
    const home = join(work, "home");
    await mkdir(join(home, ".docker"), { recursive: true });
    const auths = { [registry.host]: { auth: btoa("ann:s3cret") } };
    await writeFile(join(home, ".docker", "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
    const { stdout, code } = await doctor([registry.host], home);
    expect(code, stdout).toBe(0);
    expect(stdout).toContain('✓ login       the user "ann" is let in');
    expect(stdout).not.toMatch(/s3cret/);
  });
});

describe("gantry serve with tokens", () => {
  let registry: RunningRegistry;
  beforeAll(async () => {
    registry = await startGantryRegistry({ htpasswd: { ann: "s3cret" }, args: ["--anonymous-pull"] });
    await must(run(gantryPath, ["push", "--creds", "ann:s3cret", join(work, "layout"), `${registry.host}/app:1.0`]));
  });
  afterAll(() => registry?.stop());

  test("grants pulls to anybody, and pushes to users", async () => {
    const anybody = await told(`${registry.host}/app:1.0`);
    expect(anybody.code).toBe(0);
    expect(anybody.all.find(({ check }) => check === "api")?.message).toContain("looks like Gantry");
    expect(anybody.all.find(({ check }) => check === "push")).toMatchObject({ verdict: "skipped" });
    const ann = await told("--creds", "ann:s3cret", "--write-check", `${registry.host}/app:1.0`);
    expect(wrong(ann.all)).toEqual([]);
    expect(abilities(ann.all)).toMatchObject({ referrers: true, chunks: true, mount: true, untag: true });
  });
});

test("gantry serve with TLS, and tokens whose realm is found out from what it is called", async () => {
  const files = { cert: join(work, "cert.pem"), key: join(work, "key.pem"), users: join(work, "users") };
  await Promise.all([
    writeFile(files.cert, good),
    writeFile(files.key, key),
    writeFile(files.users, `ann:${await hash("s3cret", 4)}\n`),
  ]);
  const args = ["--data", join(work, "tls"), "--listen", "127.0.0.1:0", "--htpasswd", files.users];
  const serving = start(gantryPath, ["serve", ...args, "--tls-cert", files.cert, "--tls-key", files.key]);
  try {
    await expect.poll(() => serving.stderr(), { timeout: 20_000 }).toMatch(/listening on https:/);
    const host = /listening on https:\/\/([\d.:]+)/.exec(serving.stderr())![1]!;
    const ca = ["--ca-file", join(work, "ca.pem")];
    await must(run(gantryPath, ["push", ...ca, "--creds", "ann:s3cret", join(work, "layout"), `${host}/app:1.0`]));
    const ann = await told(...ca, "--creds", "ann:s3cret", `${host}/app:1.0`);
    expect(wrong(ann.all)).toEqual([]);
    expect(ann.all.find(({ check }) => check === "push")).toMatchObject({ verdict: "fine" });
    expect((await doctor([...ca, `${host}/app:1.0`])).code).toBe(4);
  } finally {
    await serving.stop();
  }
});

describeWith(["nginx", "docker-registry"], "nginx before docker-registry", () => {
  let registry: RunningRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    await pushImage(join(work, "layout"), image, `${registry.host}/app:1.0`);
  });
  afterAll(() => registry?.stop());
  const trusted = (): string[] => ["--ca-file", join(work, "ca.pem")];

  test("ends TLS, and all is fine for who trusts it", async () => {
    await using nginx = await startNginxServer({
      cert: good,
      key,
      server: `location / { proxy_pass http://${registry.host}; proxy_set_header Host $http_host; }`,
    });
    const { all, code } = await told(...trusted(), `${nginx.host}/app:1.0`);
    expect(wrong(all)).toEqual([]);
    expect(code).toBe(0);
    expect(all.find(({ check }) => check === "tls")?.message).toMatch(
      /^TLSv1\.[23], certificate of Example private authority/,
    );
    const distrusted = await told(`${nginx.host}/app:1.0`);
    expect(wrong(distrusted.all)).toMatchObject([{ check: "tls", verdict: "fault" }]);
    expect(distrusted.code).toBe(1);
  });

  test.each<[string, string, RegExp]>([
    ["reaches no registry", "location / { proxy_pass http://127.0.0.1:1; }", /does not reach it/],
    [
      "has pages of its own",
      "location / { return 200 '<html>Welcome</html>'; default_type text/html; }",
      /in the registry's place/,
    ],
    ["is not set up for one", "location / { return 404; }", /no registry answers at this host/],
    ["refuses", "location / { return 403; }", /a firewall before the registry/],
    ["leads in circles", "location / { return 307 $request_uri; }", /certificate|redirect|trust/],
  ])("and %s", async (_, server, cause) => {
    await using nginx = await startNginxServer({ cert: good, key, server });
    const { all } = await told(...trusted(), `${nginx.host}/app:1.0`);
    expect(wrong(all)).toMatchObject([{ check: "api", verdict: "fault" }]);
    expect(wrong(all)[0]!.cause).toMatch(cause);
  });

  test("and wants a client certificate", async () => {
    await using nginx = await startNginxServer({
      cert: good,
      key,
      clientCa: authority,
      server: "location / { return 200; }",
    });
    const { all, code } = await told(...trusted(), `${nginx.host}/app:1.0`);
    expect(wrong(all)).toMatchObject([
      { verdict: "fault", cause: expect.stringContaining("client certificate") as string },
    ]);
    expect(code).toBe(1);
  });
});
