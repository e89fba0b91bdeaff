import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { makeAuthority, type Authority } from "./support/certificates.ts";
import { makeImage, type MadeImage } from "./support/images.ts";
import { describeWith } from "./support/peers.ts";
import { startDockerRegistry, type RunningRegistry } from "./support/registries.ts";
import { gantryPath, run, type Outcome } from "./support/run.ts";

const host = "us-docker.pkg.dev";
const audience = "https://oauth2.googleapis.com/token";
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = {
  type: "service_account",
  client_email: "robot@p.iam.gserviceaccount.com",
  private_key: pair.privateKey.export({ type: "pkcs8", format: "pem" }),
};

/** All hosts of Google that are needed, in one server over TLS, before a registry that others wrote. */
interface Google extends AsyncDisposable {
  /** A proxy that leads everywhere to it. */
  readonly proxy: string;
  /** Hosts and paths, in the order they were asked for. */
  readonly asked: string[];
}

async function startGoogle(authority: Authority, registry: RunningRegistry): Promise<Google> {
  const names = [host, "oauth2.googleapis.com", `${host}.evil.test`].map((name) => `DNS:${name}`);
  const { cert, key: certKey } = await authority.issue("google", names);
  const asked: string[] = [];
  const server = createServer({ cert, key: certKey }, (request, response) => {
    asked.push(`${request.headers.host} ${request.url?.split("?")[0]}`);
    void answer(request, response, registry);
  });
  await listening(server);
  const tunnels = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      const through = connect((server.address() as AddressInfo).port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        socket.pipe(through).pipe(socket);
      });
      through.on("error", () => socket.destroy());
    });
  });
  await listening(tunnels);
  return {
    asked,
    proxy: `http://127.0.0.1:${(tunnels.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      tunnels.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const listening = (server: Server): Promise<void> =>
  new Promise((resolve) => void server.listen(0, "127.0.0.1", () => resolve()));

/** Who is logged in may do all; who is not may read. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { host: registry }: RunningRegistry,
): Promise<void> {
  const say = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
  const { authorization, host: name } = request.headers;
  const path = request.url?.split("?")[0] ?? "";
  if (path === "/token") {
    const form = new URLSearchParams(Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString());
    const signed = jwtVerify(form.get("assertion") ?? "", pair.publicKey, { audience, issuer: key.client_email });
    return signed.then(
      () => say(200, { access_token: "access", expires_in: 3600, token_type: "Bearer" }),
      () => say(400, { error: "invalid_grant", error_description: "Invalid JWT Signature." }),
    );
  }
  if (path === "/v2/token") {
    const login = `Basic ${Buffer.from("oauth2accesstoken:access").toString("base64")}`;
    if (authorization !== undefined && authorization !== login) return say(401, {});
    return say(200, { token: authorization === undefined ? "reads" : "writes", expires_in: 3600 });
  }
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (authorization !== "Bearer writes" && !(isRead && authorization === "Bearer reads")) {
    if (authorization) return say(403, { errors: [{ code: "DENIED", message: "Unauthenticated request." }] });
    return say(401, {}, { "www-authenticate": `Bearer realm="https://${name}/v2/token",service="${name}"` });
  }
  const { authorization: _authorization, ...headers } = request.headers;
  const [address, port] = registry.split(":");
  const { method, url } = request;
  const onward = forward({ host: address, port, method, path: url, headers }, (upstream) => {
    const location = upstream.headers.location?.replace(/^https?:/, "https:");
    response.writeHead(upstream.statusCode ?? 502, { ...upstream.headers, ...(location && { location }) });
    upstream.pipe(response);
  });
  request.pipe(onward);
}

describeWith("docker-registry", "Artifact Registry, by its logins", () => {
  let work: string;
  let made: MadeImage;
  let registry: RunningRegistry;
  let authority: Authority;
  let google: Google;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "gantry-e2e-google-"));
    made = await makeImage(join(work, "images"), { seed: "google" });
    authority = await makeAuthority(work);
    registry = await startDockerRegistry();
    google = await startGoogle(authority, registry);
    await writeFile(join(work, "key.json"), JSON.stringify(key));
  });
  beforeEach(() => void google.asked.splice(0));
  afterAll(async () => {
    await google[Symbol.asyncDispose]();
    await registry.stop();
    await rm(work, { recursive: true });
  });

  const gantry = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
    run(gantryPath, [...words, "--retries", "0"], {
      cwd: work,
      env: {
        HOME: work,
        HTTPS_PROXY: google.proxy,
        https_proxy: undefined,
        NO_PROXY: undefined,
        no_proxy: undefined,
        SSL_CERT_FILE: authority.certFile,
        METADATA_SERVER_DETECTION: "none",
        ...env,
      },
    });
  const keyed = (file = "key.json"): Readonly<Record<string, string>> => ({
    GOOGLE_APPLICATION_CREDENTIALS: join(work, file),
  });

  test("a key of a service account pushes, through a proxy and with an authority of one's own", async () => {
    const pushed = await gantry(["copy", "oci:images:latest", `${host}/p/r/app:1`], keyed());
    expect(pushed.code, pushed.stderr).toBe(0);
    expect(google.asked.filter((one) => one === "oauth2.googleapis.com /token")).toHaveLength(1);
    const digest = await gantry(["digest", `${host}/p/r/app:1`], keyed());
    expect(digest.stdout.trim(), digest.stderr).toBe(made.root.digest);
    expect(digest.stderr).toBe("");
  });

  test("a public image is read with no login, and with one that is broken, which is told", async () => {
    const pushed = await gantry(["copy", "oci:images:latest", `${host}/p/r/public:1`], keyed());
    expect(pushed.code, pushed.stderr).toBe(0);
    const plain = await gantry(["digest", `${host}/p/r/public:1`]);
    expect(plain.stdout.trim(), plain.stderr).toBe(made.root.digest);
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const stale = { ...key, private_key: other.privateKey.export({ type: "pkcs8", format: "pem" }) };
    await writeFile(join(work, "stale.json"), JSON.stringify(stale));
    const broken = await gantry(["digest", `${host}/p/r/public:1`], keyed("stale.json"));
    expect(broken.stdout.trim(), broken.stderr).toBe(made.root.digest);
    expect(broken.stderr).toContain("invalid_grant: Invalid JWT Signature.");
    expect(broken.stderr).toContain(join(work, "stale.json"));
    const push = await gantry(["copy", "oci:images:latest", `${host}/p/r/public:2`], keyed("stale.json"));
    expect(push.code).not.toBe(0);
    expect(push.stderr).toContain("nobody is logged in to this very host");
  });

  test("a look-alike of its hosts is given nothing, and Google is not even asked", async () => {
    const fooled = await gantry(["copy", "oci:images:latest", `${host}.evil.test/p/r/app:1`], keyed());
    expect(fooled.code).not.toBe(0);
    expect(google.asked).not.toContain("oauth2.googleapis.com /token");
    expect(google.asked).toContain(`${host}.evil.test /v2/token`);
  });
});
