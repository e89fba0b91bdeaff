import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../src/index.ts";
import { makeAuthority, type Authority, type Certified } from "./support/certificates.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { startNginx, startSquid, startTinyproxy } from "./support/network.ts";
import { describeWith } from "./support/peers.ts";
import { startDockerRegistry, type RunningRegistry } from "./support/registries.ts";
import { gantryPath, run, type Outcome } from "./support/run.ts";

/** No proxy is asked for this machine's names; 0.0.0.0 leads to it all the same. */
const elsewhere = (port: number | string): string => `0.0.0.0:${port}`;
const portOf = (registry: RunningRegistry): string => registry.host.split(":")[1]!;

describeWith(["docker-registry", "tinyproxy", "squid", "nginx"], "the way to docker-registry", () => {
  let work: string;
  let made: MadeImage;
  let registry: RunningRegistry;
  let authority: Authority;
  let server: Certified;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-network-"));
    made = await makeImage(join(work, "images"), { layers: 2, layerSize: 5_000_000, seed: "network" });
    registry = await startDockerRegistry();
    authority = await makeAuthority(work);
    server = await authority.issue("server", ["IP:0.0.0.0", "IP:127.0.0.1", "DNS:localhost"]);
  });
  afterAll(async () => {
    await registry.stop();
    await rm(work, { recursive: true });
  });

  const gantry = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
    run(gantryPath, [...words, "--retries", "0"], { cwd: work, env: { HOME: work, ...env } });
  const push = (to: string, more: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome> =>
    gantry(["copy", "oci:images:latest", to, ...more], env);
  const tls = (own: Certified = server): string[] => [
    `ssl_certificate ${own.certFile}`,
    `ssl_certificate_key ${own.keyFile}`,
    "client_max_body_size 0",
  ];

  test("plain HTTP through tinyproxy, with a login, up and down", async () => {
    await using proxy = await startTinyproxy({ login: ["ann", "s3cret"] });
    const host = elsewhere(portOf(registry));
    const env = { http_proxy: `http://ann:s3cret@127.0.0.1:${proxy.port}`, https_proxy: "" };
    const up = await push(`${host}/plain:1`, ["--plain-http"], env);
    expect(up.code, up.stderr).toBe(0);
    const down = await gantry(["copy", `${host}/plain:1`, "oci:down:1", "--plain-http"], env);
    expect(down.code, down.stderr).toBe(0);
    expect(await proxy.log()).toContain(`http://${host}/v2/plain/manifests/1`);
    for (const [url, says] of [
      [`http://ann:wr0ng@127.0.0.1:${proxy.port}`, "does not accept the user or the password"],
      [`http://127.0.0.1:${proxy.port}`, "wants a login"],
    ] as const) {
      const refused = await gantry(["digest", `${host}/plain:1`, "--plain-http", "--proxy", url]);
      expect(refused.stderr).toContain(`${host} cannot be reached: the proxy 127.0.0.1:${proxy.port} ${says}`);
      expect(refused.stderr).not.toContain("wr0ng");
      expect(refused.code).toBe(4);
    }
  });

  test("TLS through a tunnel of tinyproxy or squid; NO_PROXY in ranges goes past it", async () => {
    await using front = await startNginx(registry.host, tls());
    const host = elsewhere(front.port);
    for (const startProxy of [startTinyproxy, startSquid]) {
      await using proxy = await startProxy();
      const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, https_proxy: "" };
      const up = await push(
        `${host}/secure-${startProxy.name.toLowerCase()}:1`,
        ["--ca-file", authority.certFile],
        env,
      );
      expect(up.code, up.stderr).toBe(0);
      expect(up.stdout).toContain(made.root.digest);
      const ask = ["digest", `${host}/secure-${startProxy.name.toLowerCase()}:1`, "--ca-file", authority.certFile];
      await expect.poll(() => proxy.log()).toContain(host);
      const before = await proxy.log();
      const past = await gantry(ask, { ...env, no_proxy: "192.0.2.0/24,0.0.0.0/8" });
      expect(past.code, past.stderr).toBe(0);
      expect(await proxy.log()).toBe(before);
    }
  });

  test("what squid does not connect is told, with its own reason", async () => {
    await using proxy = await startSquid({ denied: 5555 });
    const env = { https_proxy: `http://127.0.0.1:${proxy.port}` };
    const denied = await gantry(["digest", "registry.example:5555/app:1"], env);
    expect(denied.stderr).toContain(
      `registry.example:5555 cannot be reached: the proxy 127.0.0.1:${proxy.port} does not let us through to it (it answered 403 ERR_ACCESS_DENIED)`,
    );
    expect(denied.code).toBe(4);
    const unknown = await gantry(["digest", "nowhere.invalid/app:1"], env);
    expect(unknown.stderr).toMatch(/the proxy .* could not connect to it \(it answered 50\d ERR_\w+\)/);
    expect(unknown.code).toBe(1);
    const closed = await gantry(["digest", "0.0.0.0:1/app:1"], env);
    expect(closed.stderr).toMatch(/the proxy .* could not connect to it \(it answered 50\d ERR_CONNECT_FAIL\)/);
  });

  test("a server before it that takes 1 MiB at a time: large layers go in parts", async () => {
    await using front = await startNginx(registry.host, ["client_max_body_size 1m"]);
    const up = await push(`127.0.0.1:${front.port}/parts:1`, []);
    expect(up.code, up.stderr).toBe(0);
    expect(await front.log()).toMatch(/" 413 /);
    const checked = await gantry(["check", "--deep", `${registry.host}/parts:1`]);
    expect(checked.code, checked.stderr).toBe(0);
  });

  test("a client certificate, and who comes without", async () => {
    const client = await authority.issue("client", ["DNS:client.example"]);
    await using front = await startNginx(registry.host, [
      ...tls(),
      `ssl_client_certificate ${authority.certFile}`,
      "ssl_verify_client on",
    ]);
    const host = `127.0.0.1:${front.port}`;
    const own = { ca: authority.cert, cert: client.cert, key: client.key };
    const trusted = createClient({ hosts: { [host]: { tls: own } }, env: { HOME: work } });
    const outcome = await trusted.copy(`oci:${work}/images:latest`, `${host}/client:1`);
    expect(outcome.failures).toEqual([]);
    await trusted.close();
    const refused = await gantry(["digest", `${host}/client:1`, "--ca-file", authority.certFile]);
    expect(refused.stderr).toContain('answered 400 with a web page, "400 No required SSL certificate was sent"');
    expect(refused.stderr).toContain("give a client certificate and its key for this host");
    expect(refused.code).toBe(4);
  });

  test("certificates that are not right say why", async () => {
    const expired = await authority.issue("expired", ["IP:127.0.0.1"], -1);
    const other = await authority.issue("other", ["DNS:other.example"]);
    const stranger = await (await makeAuthority(work, "stranger")).issue("strange", ["IP:127.0.0.1"]);
    const self = await makeAuthority(work, "self");
    for (const [own, says] of [
      [expired, "has a TLS certificate that has expired"],
      [other, "has a TLS certificate for another name"],
      [stranger, "has a TLS certificate from an authority that is not trusted here"],
      [self, "has a self-signed TLS certificate"],
    ] as const) {
      await using front = await startNginx(registry.host, tls(own));
      const { stderr, code } = await gantry([
        "digest",
        `127.0.0.1:${front.port}/app:1`,
        "--ca-file",
        authority.certFile,
      ]);
      expect(stderr).toContain(`127.0.0.1:${front.port} ${says}`);
      expect(code).toBe(1);
    }
  });

  test("TLS versions", async () => {
    await using front = await startNginx(registry.host, [...tls(), "ssl_protocols TLSv1.2"]);
    const ask = ["ls", `127.0.0.1:${front.port}`, "--ca-file", authority.certFile];
    expect((await gantry([...ask, "--min-tls", "1.2"])).code).toBe(0);
    const refused = await gantry([...ask, "--min-tls", "1.3"]);
    expect(refused.stderr).toContain("speaks no TLS version that is allowed here");
  });

  test("plain HTTP on a port of TLS, and TLS on one of plain HTTP", async () => {
    await using front = await startNginx(registry.host, tls());
    const host = elsewhere(portOf(registry));
    expect((await gantry(["digest", `${host}/app:1`])).stderr).toContain(`${host} does not speak TLS`);
    const found = await gantry(["ls", elsewhere(front.port), "--plain-http", "--ca-file", authority.certFile]);
    expect(found.code, found.stderr).toBe(0);
  });
});
