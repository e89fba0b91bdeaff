import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { authority, clientCertificate, clientKey } from "../test/transport/certificates.ts";
import { createClient } from "../src/client.ts";
import { collect } from "../src/oci/stream.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { startNginx, type Nginx } from "./support/nginx.ts";
import { describeWith, peer } from "./support/peers.ts";
import { pushImage } from "./support/push.ts";
import { startDockerRegistry, startGantryRegistry, type RunningRegistry } from "./support/registries.ts";
import { gantryPath, run, type Outcome } from "./support/run.ts";

let work: string;
let home: string;
let registry: RunningRegistry;
let image: MadeImage;

/** Without what this machine trusts beside the system's authorities. */
const bare = { SSL_CERT_FILE: undefined, SSL_CERT_DIR: undefined, NODE_EXTRA_CA_CERTS: undefined };

const gantry = (...args: readonly string[]): Promise<Outcome> =>
  run(gantryPath, args, { env: { HOME: home, XDG_CONFIG_HOME: undefined, ...bare } });
const skopeo = (...args: readonly string[]): Promise<Outcome> =>
  run(peer("skopeo")!.path, args, { env: { HOME: home, XDG_CONFIG_HOME: undefined, ...bare } });

/** Puts files into the user's directory for a host's certificates. */
async function certs(host: string, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = join(home, ".config/containers/certs.d", host);
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

describeWith(["nginx", "skopeo"], "hosts behind nginx", () => {
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-tls-"));
    registry = await startGantryRegistry();
    image = await makeImage(join(work, "layout"), { layerSize: 100_000 });
    await pushImage(join(work, "layout"), image, `${registry.host}/app:1`);
  });
  beforeEach(async () => {
    home = await mkdtemp(join(work, "home-"));
  });
  afterAll(async () => {
    await registry?.stop();
    await rm(work, { recursive: true, force: true });
  });

  describe("with a certificate of a private authority", () => {
    let nginx: Nginx;
    beforeAll(async () => {
      nginx = await startNginx({ upstream: registry.host });
    });
    afterAll(() => nginx?.[Symbol.asyncDispose]());

    test("are not trusted without it, and the way out is named", async () => {
      const { code, stderr } = await gantry("digest", "--retries", "0", `${nginx.host}/app:1`);
      expect(code).not.toBe(0);
      expect(stderr).toContain("authority that is not trusted here");
      expect((await skopeo("inspect", "--raw", `docker://${nginx.host}/app:1`)).code).not.toBe(0);
    });

    test("are trusted by certs.d, as by skopeo", async () => {
      const directory = await certs(nginx.host, { "ca.crt": authority });
      const { stdout, stderr } = await gantry("digest", `${nginx.host}/app:1`);
      expect(stdout.trim(), stderr).toBe(image.root.digest);
      expect((await skopeo("inspect", "--raw", `docker://${nginx.host}/app:1`)).code).toBe(0);
      const elsewhere = ["--cert-dir", directory] as const;
      home = await mkdtemp(join(work, "home-"));
      expect((await gantry("digest", ...elsewhere, `${nginx.host}/app:1`)).stdout.trim()).toBe(image.root.digest);
      expect((await skopeo("inspect", "--raw", ...elsewhere, `docker://${nginx.host}/app:1`)).code).toBe(0);
    });

    test("are written to as well, each side of a copy with its own certificates", async () => {
      const directory = await certs("elsewhere", { "ca.crt": authority });
      const to = `${nginx.host}/copied:1`;
      const { code, stderr } = await gantry("copy", "--dest-cert-dir", directory, `${registry.host}/app:1`, to);
      expect(code, stderr).toBe(0);
      expect((await gantry("copy", "--src-cert-dir", directory, to, `oci:${home}/copied:1`)).code).toBe(0);
      expect((await gantry("copy", "--retries", "0", to, `oci:${home}/again:1`)).code).not.toBe(0);
    });

    test.each([
      { SSL_CERT_FILE: "ca.crt" },
      { NODE_EXTRA_CA_CERTS: "ca.crt" },
      { SSL_CERT_FILE: "ca.crt", SSL_CERT_DIR: "." },
    ])("are trusted by %j", async (variables) => {
      const directory = await certs("elsewhere", { "ca.crt": authority });
      const paths = Object.entries(variables).map(([name, file]) => [name, join(directory, file)] as const);
      const env = { HOME: home, ...bare, ...Object.fromEntries(paths) };
      const { stdout, stderr } = await run(gantryPath, ["digest", `${nginx.host}/app:1`], { env });
      expect(stdout.trim(), stderr).toBe(image.root.digest);
    });

    test("a damaged authority is told with its file and line, before anything is sent over TLS", async () => {
      const directory = await certs(nginx.host, { "ca.crt": authority.replace("MII", "AAA") });
      const before = nginx.requests().length;
      const { code, stderr } = await gantry("digest", `${nginx.host}/app:1`);
      expect(code).toBe(2);
      expect(stderr).toContain(`${directory}/ca.crt: the certificate that starts in line 1 is damaged`);
      expect(nginx.requests()).toHaveLength(before);
    });
  });

  describe("that want to know who asks", () => {
    let nginx: Nginx;
    beforeAll(async () => {
      nginx = await startNginx({ upstream: registry.host, clientCertificates: true });
    });
    afterAll(() => nginx?.[Symbol.asyncDispose]());

    test("are told by the certificate in certs.d, as by skopeo", async () => {
      await certs(nginx.host, { "ca.crt": authority });
      const stranger = await gantry("digest", "--retries", "0", `${nginx.host}/app:1`);
      expect(stranger.code).not.toBe(0);
      expect(stranger.stderr).toContain("give a client certificate and its key for this host");
      await certs(nginx.host, { "client.cert": clientCertificate, "client.key": clientKey });
      const { stdout, stderr } = await gantry("digest", `${nginx.host}/app:1`);
      expect(stdout.trim(), stderr).toBe(image.root.digest);
      expect((await skopeo("inspect", "--raw", `docker://${nginx.host}/app:1`)).code).toBe(0);
    });

    test("are told by --cert-file and --key-file", async () => {
      const directory = await certs("elsewhere", { ca: authority, cert: clientCertificate, key: clientKey });
      const files = ["--ca-file", "ca", "--cert-file", "cert", "--key-file", "key"].map((word) =>
        word.startsWith("--") ? word : join(directory, word),
      );
      const { stdout, stderr } = await gantry("digest", ...files, `${nginx.host}/app:1`);
      expect(stdout.trim(), stderr).toBe(image.root.digest);
      const keyAlone = await gantry("digest", "--key-file", join(directory, "key"), `${nginx.host}/app:1`);
      expect(keyAlone.code).toBe(2);
      expect(keyAlone.stderr).toContain("--key-file is given without --cert-file");
    });

    test("a certificate without its key is told, as by skopeo", async () => {
      const directory = await certs(nginx.host, { "ca.crt": authority, "client.cert": clientCertificate });
      const { code, stderr } = await gantry("digest", `${nginx.host}/app:1`);
      expect(code).toBe(2);
      expect(stderr).toContain(`${directory}/client.cert has no client.key beside it`);
      expect((await skopeo("inspect", `docker://${nginx.host}/app:1`)).stderr).toContain("missing key client.key");
    });
  });

  test("as a mirror below a path, for a registry that is not there", async () => {
    await using nginx = await startNginx({ upstream: registry.host });
    await certs(nginx.host, { "ca.crt": authority });
    await pushImage(join(work, "layout"), image, `${registry.host}/hub/team/app:1`);
    const conf = join(home, "registries.conf");
    await writeFile(
      conf,
      `[[registry]]\nprefix = "gone.invalid/x"\nlocation = "gone.invalid/x"\n[[registry.mirror]]\nlocation = "${nginx.host}/hub"\n`,
    );
    const from = "gone.invalid/x/team/app:1";
    const byFile = await gantry("copy", "--no-referrers", "--registries-conf", conf, from, `oci:${home}/a:1`);
    expect(byFile.code, byFile.stderr).toBe(0);
    const flag = `gone.invalid=${nginx.host}/hub`;
    const byFlag = await gantry("digest", "--mirror", flag, "gone.invalid/team/app:1");
    expect(byFlag.stdout.trim(), byFlag.stderr).toBe(image.root.digest);
    const without = await gantry("digest", "--no-mirrors", "--retries", "0", "--registries-conf", conf, from);
    expect(without.code).not.toBe(0);
    expect(nginx.requests().every((line) => /^(GET|HEAD) \/v2\/hub\/team\/app\/(manifests|blobs)\//.test(line))).toBe(
      true,
    );
    const theirs = await skopeo("--registries-conf", conf, "inspect", "--raw", `docker://${from}`);
    expect(theirs.code, theirs.stderr).toBe(0);
  });
});

describeWith("nginx", "a mirror by containerd's hosts.toml", () => {
  test("below a path, with an authority and a client certificate of its own, told whose images they are", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gantry-e2e-containerd-"));
    await using upstream = await startGantryRegistry();
    const made = await makeImage(join(folder, "layout"), { seed: "containerd" });
    await pushImage(join(folder, "layout"), made, `${upstream.host}/team/app:1`);
    await using nginx = await startNginx({ upstream: upstream.host, clientCertificates: true, below: "/cache" });
    const toml = `server = "https://gone.invalid"\n[host."https://${nginx.host}/cache"]\nca = "ca"\nclient = [["cert", "key"]]\n`;
    await mkdir(join(folder, "certs.d/gone.invalid"), { recursive: true });
    const files = { "hosts.toml": toml, ca: authority, cert: clientCertificate, key: clientKey };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "certs.d/gone.invalid", name), text);
    const client = createClient({ env: { HOME: folder }, containerdCertsDir: join(folder, "certs.d") });
    const { store, ref } = client.open("gone.invalid/team/app:1", "pull");
    const manifest = await store.manifest(ref!);
    expect(manifest?.descriptor.digest).toBe(made.root.digest);
    await collect(await store.blob(manifest!.blobs[0]!.digest), 1_000_000);
    await client.close();
    expect(nginx.requests().slice(-2)).toEqual([
      "GET /cache/v2/team/app/manifests/1?ns=gone.invalid HTTP/1.1",
      `GET /cache/v2/team/app/blobs/${manifest!.blobs[0]!.digest}?ns=gone.invalid HTTP/1.1`,
    ]);
    await rm(folder, { recursive: true, force: true });
  });
});

describeWith("docker-registry", "a pull-through cache", () => {
  test("fills itself from what is pulled through it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gantry-e2e-cache-"));
    await using origin = await startDockerRegistry();
    const made = await makeImage(join(folder, "layout"), { layerSize: 1_000_000, seed: "cache" });
    await pushImage(join(folder, "layout"), made, `${origin.host}/team/app:1`);
    await using cache = await startDockerRegistry({ proxy: `http://${origin.host}` });
    const pull = (to: string): Promise<Outcome> =>
      run(gantryPath, [
        "copy",
        "-v",
        "--no-referrers",
        "--mirror",
        `${origin.host}=${cache.host}`,
        `${origin.host}/team/app:1`,
        to,
      ]);
    const { code, stderr } = await pull(`oci:${folder}/first:1`);
    expect(code, stderr).toBe(0);
    const asked = [...stderr.matchAll(/^(?:GET|HEAD) http:\/\/([^/]+)\//gm)].map((match) => match[1]);
    expect(new Set(asked)).toEqual(new Set([cache.host]));
    const direct = await run(gantryPath, ["check", "--deep", `${cache.host}/team/app:1`]);
    expect(direct.code, direct.stderr).toBe(0);
    await rm(folder, { recursive: true, force: true });
  });
});
