import { generateKeyPairSync, verify } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Credential } from "../../src/auth/credential.ts";
import { acrCredentials } from "../../src/provider/acr/credentials.ts";
import { systemClock } from "../../src/transport/clock.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { testCertificate } from "../server/certificate.ts";
import { listen } from "../transport/listen.ts";
import { bodyOf, client, credentialContext, entra, json, jwt, network, redirected, tenant } from "./acr-support.ts";

const host = "contosoregistry.azurecr.io";
const entraHost = "login.microsoftonline.com";
const metadataHost = "169.254.169.254";
const principal = { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: "s3cret-of-azure" };
const hour = 3_600_000;

function tokenOf(credential: Credential | undefined): string | undefined {
  return credential?.kind === "identity" ? credential.token.reveal() : undefined;
}

/** A registry's exchange (https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md), and the forms that it was sent. */
function registry(answer: (form: URLSearchParams) => ReturnType<typeof json>): {
  transport: Transport;
  forms: URLSearchParams[];
} {
  const forms: URLSearchParams[] = [];
  const transport: Transport = async (request) => {
    expect(`${request.method} ${request.url.pathname}`).toBe("POST /oauth2/exchange");
    expect(request.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    const form = new URLSearchParams(await bodyOf(request));
    forms.push(form);
    return answer(form);
  };
  return { transport, forms };
}

const granting = (life = 3 * hour) => {
  let issued = 0;
  return registry(() =>
    json(200, { refresh_token: jwt({ jti: ++issued, aud: host, exp: Math.floor((Date.now() + life) / 1000) }) }),
  );
};

afterEach(() => vi.unstubAllEnvs());

describe("a service principal", () => {
  test("is logged in by Azure's library through our transport, and its token exchanged", async () => {
    await using azure = await entra();
    const { transport: exchange, forms } = granting();
    const { transport, asked } = network({ [entraHost]: azure.transport, [host]: exchange });
    const context = credentialContext(transport, { env: principal });
    const credential = await acrCredentials(context).find(host, "team/app");
    expect(credential).toMatchObject({
      kind: "identity",
      origin: "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
    });
    expect(tokenOf(credential)).toContain(".");
    const { access_token: bought, ...form } = Object.fromEntries(forms[0]!);
    expect(form).toEqual({ grant_type: "access_token", service: host, tenant });
    expect(bought).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(new Set(asked.map((line) => line.split(" ")[1]))).toEqual(
      new Set([`https://${entraHost}/${tenant}/oauth2/v2.0/token`, `https://${host}/oauth2/exchange`]),
    );
    expect(context.warnings).toEqual([]);
  });

  test("is asked for once by all at once, and again only shortly before its token expires", async () => {
    await using azure = await entra();
    const { transport: exchange, forms } = granting();
    const { transport } = network({ [entraHost]: azure.transport, [host]: exchange });
    let now = Date.now();
    const source = acrCredentials(
      credentialContext(transport, { env: principal, clock: { ...systemClock, now: () => now } }),
    );
    const all = await Promise.all(["a", "b", "c"].map((path) => source.find(host, path)));
    expect(new Set(all.map(tokenOf)).size).toBe(1);
    now += 2.9 * hour;
    expect(tokenOf(await source.find(host, ""))).toBe(tokenOf(all[0]));
    expect(forms).toHaveLength(1);
    now += 0.05 * hour;
    expect(tokenOf(await source.find(host, ""))).not.toBe(tokenOf(all[0]));
    expect(forms).toHaveLength(2);
  });

  test("gives a token for Azure's management where the registry takes none for registries", async () => {
    await using azure = await entra();
    const { transport: exchange, forms } = registry(({ size }) =>
      forms.length === 1
        ? json(401, { errors: [{ code: "UNAUTHORIZED", message: `no: ${size}` }] })
        : json(200, { refresh_token: "r" }),
    );
    const scopes: string[] = [];
    const entraTransport: Transport = async (request) => {
      const text = await bodyOf(request);
      if (text) scopes.push(new URLSearchParams(text).get("scope") ?? "");
      return azure.transport(request);
    };
    const { transport } = network({ [entraHost]: entraTransport, [host]: exchange });
    const context = credentialContext(transport, { env: principal });
    expect(tokenOf(await acrCredentials(context).find(host, ""))).toBe("r");
    expect(scopes.map((scope) => scope.split(" ")[0])).toEqual([
      "https://containerregistry.azure.net/.default",
      "https://management.azure.com/.default",
    ]);
    expect(context.warnings).toEqual([]);
  });

  test("of a host that only the user calls Azure's never gives one for Azure's management", async () => {
    await using azure = await entra();
    const { transport: exchange, forms } = registry(() =>
      json(401, { errors: [{ code: "UNAUTHORIZED", message: "no" }] }),
    );
    const { transport } = network({ [entraHost]: azure.transport, "registry.example": exchange });
    const context = credentialContext(transport, { env: principal });
    expect(await acrCredentials(context).find("registry.example", "")).toBeUndefined();
    expect(forms).toHaveLength(1);
  });

  test.each([
    [
      "another tenant's",
      401,
      "authentication required, visit https://aka.ms/acr/authorization for more information.",
      tenant,
    ],
    [
      "one from outside of the firewall",
      403,
      "client with IP '203.0.113.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.",
      "firewall",
    ],
  ])("%s is a warning and no login: all may be allowed to pull", async (_, status, message, hint) => {
    await using azure = await entra();
    const { transport: exchange } = registry(() => json(status, { errors: [{ code: "DENIED", message }] }));
    const { transport } = network({ [entraHost]: azure.transport, [host]: exchange });
    const context = credentialContext(transport, { env: principal });
    const source = acrCredentials(context);
    expect(await source.find(host, "")).toBeUndefined();
    expect(await source.find(host, "other")).toBeUndefined();
    expect(context.warnings).toHaveLength(1);
    expect(context.warnings[0]).toContain(message);
    expect(context.warnings[0]).toContain(hint);
  });

  test.each([
    ["7000222", "The provided client secret keys for app 'x' are expired.", "make a new one"],
    ["7000215", "Invalid client secret provided. It was s3cret-of-azure.", "the secret's value"],
    ["700016", "Application with identifier 'x' was not found in the directory 'y'.", "another tenant"],
  ])(
    "that Entra ID refuses with AADSTS%s is a warning with the way out, and without the secret",
    async (number, text, hint) => {
      await using azure = await entra();
      const refusing: Transport = async (request) =>
        request.method === "GET"
          ? azure.transport(request)
          : json(401, {
              error: "invalid_client",
              error_description: `AADSTS${number}: ${text} Trace ID: 0000 Correlation ID: 0000 Timestamp: 2024-01-01 00:00:00Z`,
              error_codes: [Number(number)],
            });
      const { transport, asked } = network({ [entraHost]: refusing });
      const context = credentialContext(transport, { env: principal });
      expect(await acrCredentials(context).find(host, "")).toBeUndefined();
      expect(context.warnings).toHaveLength(1);
      expect(context.warnings[0]).toContain(`AADSTS${number}`);
      expect(context.warnings[0]).toContain(hint);
      expect(context.warnings[0]).toContain("AZURE_CLIENT_SECRET");
      expect(context.warnings[0]).not.toMatch(/s3cret-of-azure|Trace ID/);
      expect(asked.filter((line) => line.includes(host))).toEqual([]);
    },
  );

  test.each([
    ["no JSON", "<html>", 200],
    ["a token in the wrong field", { access_token: "x" }, 200],
    ["an empty token", { refresh_token: "" }, 200],
  ])("is none where the exchange sends %s", async (_, answer, status) => {
    await using azure = await entra();
    const { transport: exchange } = registry(() => json(status, answer));
    const { transport } = network({ [entraHost]: azure.transport, [host]: exchange });
    const context = credentialContext(transport, { env: principal });
    expect(await acrCredentials(context).find(host, "")).toBeUndefined();
    expect(context.warnings[0]).toContain("no refresh token");
  });

  test("whose exchange may work later is an error, and tried again", async () => {
    await using azure = await entra();
    let answers = 0;
    const { transport: exchange } = registry(() =>
      ++answers === 1 ? json(503, { errors: [{ code: "UNAVAILABLE" }] }) : json(200, { refresh_token: "r" }),
    );
    const { transport } = network({ [entraHost]: azure.transport, [host]: exchange });
    const source = acrCredentials(credentialContext(transport, { env: principal }));
    await expect(source.find(host, "")).rejects.toMatchObject({ code: "UNAVAILABLE", status: 503 });
    expect(tokenOf(await source.find(host, ""))).toBe("r");
  });

  test("whose login has run out when it comes, as clocks may differ, is not asked for each request", async () => {
    await using azure = await entra();
    const refresh_token = jwt({ exp: 1 });
    const { transport: exchange } = registry(() => json(200, { refresh_token }));
    const { transport, asked } = network({ [entraHost]: azure.transport, [host]: exchange });
    const source = acrCredentials(credentialContext(transport, { env: principal }));
    for (let i = 0; i < 3; i++) expect(tokenOf(await source.find(host, ""))).toBe(refresh_token);
    expect(asked.filter((line) => line.includes("/oauth2/exchange"))).toHaveLength(1);
  });

  test("of China logs in to China's cloud", async () => {
    const { transport, asked } = network({});
    const context = credentialContext(transport, { env: principal });
    await acrCredentials(context).find("contosoregistry.azurecr.cn", "");
    expect(asked.length).toBeGreaterThan(0);
    expect(asked[0]).toContain("https://login.chinacloudapi.cn/");
    expect(asked.filter((line) => !line.includes(metadataHost))).toHaveLength(1);
    expect(context.warnings[0]).toContain("login.chinacloudapi.cn cannot be reached");
  });
});

test("a federated token is what a workload logs in with", async () => {
  await using folder = await temporary();
  const file = join(folder.path, "token");
  await writeFile(file, "federated-token\n");
  const { transport: exchange } = granting();
  const forms: URLSearchParams[] = [];
  await using azure = await entra();
  const federated: Transport = async (request) => {
    if (request.method === "GET") return azure.transport(request);
    forms.push(new URLSearchParams(await bodyOf(request)));
    return json(200, { token_type: "Bearer", expires_in: 3600, access_token: "aad" });
  };
  const { transport } = network({ [entraHost]: federated, [host]: exchange });
  const env = { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_FEDERATED_TOKEN_FILE: file };
  const credential = await acrCredentials(credentialContext(transport, { env })).find(host, "");
  expect(credential?.origin).toContain("AZURE_FEDERATED_TOKEN_FILE");
  expect(forms[0]?.get("client_assertion")).toBe("federated-token");
});

test("a certificate signs for a service principal, and its key stays here", async () => {
  await using folder = await temporary();
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await writeFile(join(folder.path, "principal.pem"), `${pem}${testCertificate}`);
  const { transport: exchange } = granting();
  const sent: string[] = [];
  const signing: Transport = async (request) => {
    sent.push(await bodyOf(request));
    return json(200, { token_type: "Bearer", expires_in: 3600, access_token: "aad" });
  };
  const { transport } = network({ [entraHost]: signing, [host]: exchange });
  const env = {
    AZURE_TENANT_ID: tenant,
    AZURE_CLIENT_ID: client,
    AZURE_CLIENT_CERTIFICATE_PATH: join(folder.path, "principal.pem"),
  };
  const context = credentialContext(transport, { env });
  const credential = await acrCredentials(context).find(host, "");
  expect(context.warnings).toEqual([]);
  expect(credential?.origin).toContain("AZURE_CLIENT_CERTIFICATE_PATH");
  const [head, claims, signature] = new URLSearchParams(sent[0]).get("client_assertion")!.split(".");
  expect(JSON.parse(Buffer.from(head!, "base64url").toString())).toMatchObject({ alg: "PS256" });
  const key = { key: publicKey, padding: 6, saltLength: 32 };
  expect(verify("sha256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature!, "base64url"))).toBe(true);
});

test.each([
  ["AZURE_CLIENT_CERTIFICATE_PATH", "/nonexistent/principal.pem"],
  ["AZURE_FEDERATED_TOKEN_FILE", "/nonexistent/token"],
])("%s that leads nowhere is a warning that names it", async (name, path) => {
  const { transport, asked } = network({});
  const env = { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, [name]: path };
  const context = credentialContext(transport, { env });
  expect(await acrCredentials(context).find(host, "")).toBeUndefined();
  expect(context.warnings[0]).toContain(name);
  expect(context.warnings[0]).toContain(path);
  expect(asked.filter((line) => line.includes(entraHost) && line.startsWith("POST"))).toEqual([]);
});

describe("a managed identity", () => {
  test("is none, and no warning, where the service knows of no identity", async () => {
    const { transport } = network({
      [metadataHost]: async ({ headers }) =>
        headers["metadata"] || headers["Metadata"]
          ? json(400, { error: "invalid_request", error_description: "Identity not found" })
          : json(400, { error: "invalid_request", error_description: "Required metadata header not specified" }),
    });
    const context = credentialContext(transport, { env: { AZURE_TOKEN_CREDENTIALS: "prod" } });
    expect(await acrCredentials(context).find(host, "")).toBeUndefined();
    expect(context.warnings).toEqual([]);
  });

  test("of a machine comes from the metadata service, which is first asked whether it is there", async () => {
    const asked: string[] = [];
    await using metadata = await listen((request, response) => {
      asked.push(`${String(request.headers["metadata"])} ${request.url}`);
      response.setHeader("content-type", "application/json");
      if (request.headers["metadata"] !== "true") {
        response
          .writeHead(400)
          .end('{"error":"invalid_request","error_description":"Required metadata header not specified"}');
        return;
      }
      const expires = String(Math.floor(Date.now() / 1000) + 3600);
      const resource = new URL(request.url!, "http://x").searchParams.get("resource");
      response.end(
        JSON.stringify({
          access_token: "aad-of-machine",
          expires_on: expires,
          resource,
          token_type: "Bearer",
          client_id: client,
        }),
      );
    });
    const { transport: exchange, forms } = granting();
    const { transport } = network({
      [metadataHost]: redirected(metadata.url.origin, ({ pathname, search }) => `${pathname}${search}`),
      [host]: exchange,
    });
    const context = credentialContext(transport, { env: { AZURE_TOKEN_CREDENTIALS: "prod" } });
    const credential = await acrCredentials(context).find(host, "");
    expect(credential?.origin).toBe("the managed identity of this machine");
    expect(forms[0]?.get("access_token")).toBe("aad-of-machine");
    expect(asked[0]).toBe("undefined /metadata/identity/oauth2/token");
    expect(asked[1]).toContain("true /metadata/identity/oauth2/token?");
    expect(asked[1]).toContain(encodeURIComponent("https://containerregistry.azure.net"));
  });

  test.each([
    ["a proxy's page", json(403, { error: "the proxy does not go there" })],
    ["another service", json(200, { metadata: true })],
    ["a web page", { ...json(400, ""), headers: {}, body: json(400, "metadata <html>").body }],
  ])("is not taken from %s", async (_, answer) => {
    const { transport, asked } = network({ [metadataHost]: async () => answer });
    const context = credentialContext(transport, { env: { AZURE_CLIENT_ID: client } });
    expect(await acrCredentials(context).find(host, "")).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  test("is not waited for longer than a second, and then not asked for again", async () => {
    let silent = 0;
    const slept: number[] = [];
    const { transport } = network({
      [metadataHost]: ({ signal }) =>
        new Promise((_, reject) => {
          silent++;
          signal?.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    });
    const clock = { ...systemClock, sleep: async (ms: number) => void slept.push(ms) };
    const source = acrCredentials(credentialContext(transport, { env: { AZURE_CLIENT_ID: client }, clock }));
    expect(await source.find(host, "a")).toBeUndefined();
    expect(await source.find(host, "b")).toBeUndefined();
    expect(Math.max(...slept)).toBeLessThanOrEqual(1000);
    expect(silent).toBe(1);
  });

  test("of an app service comes from where the app is told", async () => {
    await using service = await listen((request, response) => {
      const isRight = request.headers["x-identity-header"] === "header-of-app";
      response.setHeader("content-type", "application/json");
      response.writeHead(isRight ? 200 : 401).end(
        JSON.stringify({
          access_token: "aad-of-app",
          expires_on: String(Math.floor(Date.now() / 1000) + 3600),
          token_type: "Bearer",
        }),
      );
    });
    const env = {
      AZURE_CLIENT_ID: client,
      IDENTITY_ENDPOINT: `${service.url.origin}/msi/token`,
      IDENTITY_HEADER: "header-of-app",
    };
    const { transport: exchange, forms } = granting();
    const { host: local } = service.url;
    const here = redirected(service.url.origin, ({ pathname, search }) => `${pathname}${search}`);
    const { transport } = network({ [local]: here, [host]: exchange });
    const credential = await acrCredentials(credentialContext(transport, { env })).find(host, "");
    expect(credential?.origin).toBe("the managed identity that AZURE_CLIENT_ID names");
    expect(forms[0]?.get("access_token")).toBe("aad-of-app");
  });

  test("of an app service that does not answer is not waited for", async () => {
    const env = { IDENTITY_ENDPOINT: "http://127.0.0.1:1/msi/token", IDENTITY_HEADER: "header-of-app" };
    const { transport } = network({
      "127.0.0.1:1": ({ signal }) =>
        new Promise((_, reject) => {
          const give = (): void => reject(new Error("aborted"));
          if (signal?.aborted) give();
          else signal?.addEventListener("abort", give);
        }),
    });
    const slept: number[] = [];
    const clock = { ...systemClock, sleep: async (ms: number) => void slept.push(ms) };
    const warnings: string[] = [];
    const context = {
      ...credentialContext(transport, { env, clock }),
      onWarning: (text: string) => warnings.push(text),
    };
    expect(await acrCredentials(context).find(host, "")).toBeUndefined();
    expect(Math.max(...slept)).toBeLessThanOrEqual(5000);
    expect(warnings.join()).toContain("within 5 s");
  });
});

describe("az", () => {
  /** A folder with an `az` that does as told, and a profile that says who is logged in. */
  async function az(
    script: string,
    subscriptions: readonly object[],
  ): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
    const folder = await temporary();
    await mkdir(join(folder.path, ".azure"));
    await writeFile(
      join(folder.path, ".azure", "azureProfile.json"),
      `\uFEFF${JSON.stringify({ installationId: "x", subscriptions })}`,
    );
    await writeFile(join(folder.path, "az"), `#!/bin/sh\necho called >> ${folder.path}/calls\n${script}\n`);
    await chmod(join(folder.path, "az"), 0o755);
    vi.stubEnv("PATH", `${folder.path}:${process.env["PATH"]}`);
    return folder;
  }
  const env = { AZURE_TOKEN_CREDENTIALS: "AzureCliCredential" };

  test("is asked for a token of registries", async () => {
    const answer = { accessToken: "aad-of-az", expires_on: Math.floor(Date.now() / 1000) + 3600, tokenType: "Bearer" };
    await using folder = await az(
      `[ "$5" = --resource ] && [ "$6" = https://containerregistry.azure.net ] && echo '${JSON.stringify(answer)}'`,
      [{ id: "x" }],
    );
    const { transport: exchange, forms } = granting();
    const { transport } = network({ [host]: exchange });
    const credential = await acrCredentials(credentialContext(transport, { env, home: folder.path })).find(host, "");
    expect(credential?.origin).toBe("az login");
    expect(forms[0]?.get("access_token")).toBe("aad-of-az");
  });

  test("whose login has expired is a warning with the way out", async () => {
    const text = "ERROR: AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 00";
    await using folder = await az(`echo "${text}" >&2; echo "To re-authenticate, please run: az login" >&2; exit 1`, [
      { id: "x" },
    ]);
    const { transport } = network({});
    const context = credentialContext(transport, { env, home: folder.path });
    expect(await acrCredentials(context).find(host, "")).toBeUndefined();
    expect(context.warnings.join()).toMatch(/az login.*\(log in again: `az login`\)/s);
  });

  test("is not even started where nobody is logged in", async () => {
    await using folder = await az("exit 1", []);
    const { transport, asked } = network({});
    const context = credentialContext(transport, { env, home: folder.path });
    expect(await acrCredentials(context).find(host, "")).toBeUndefined();
    expect(context.warnings).toEqual([]);
    expect(asked).toEqual([]);
    await expect(import("node:fs/promises").then(({ stat }) => stat(join(folder.path, "calls")))).rejects.toThrow(
      "ENOENT",
    );
  });
});

test("a machine with no login of Azure has none, and no registry is asked", async () => {
  const { transport, asked } = network({});
  const context = credentialContext(transport);
  expect(await acrCredentials(context).find(host, "")).toBeUndefined();
  expect(context.warnings).toEqual([]);
  expect(asked.filter((line) => !line.includes(metadataHost))).toEqual([]);
});

test("a wrong AZURE_TOKEN_CREDENTIALS is told", async () => {
  const { transport } = network({});
  const context = credentialContext(transport, { env: { AZURE_TOKEN_CREDENTIALS: "mine" } });
  expect(await acrCredentials(context).find(host, "")).toBeUndefined();
  expect(context.warnings[0]).toMatch(/AZURE_TOKEN_CREDENTIALS is "mine".*prod, dev/);
});

async function temporary(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "gantry-acr-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
