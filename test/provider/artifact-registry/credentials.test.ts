import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createLocalJWKSet, jwtVerify } from "jose";
import { OAuth2Server } from "oauth2-mock-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Credential } from "../../../src/auth/credential.ts";
import { googleCredentials } from "../../../src/provider/artifact-registry/credentials.ts";
import type { CredentialContext } from "../../../src/provider/provider.ts";
import type { Clock } from "../../../src/transport/clock.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { wire } from "../../../src/transport/wire.ts";
import { programs } from "../../support/programs.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { unreachable } from "../support.ts";
import { claimsOf, credentialContext, serviceAccount, startGoogle, type Route } from "./google.ts";

const host = "us-docker.pkg.dev";
const scope = "https://www.googleapis.com/auth/cloud-platform";
const token: Route = async () => ({ body: { access_token: "bought", expires_in: 3600, token_type: "Bearer" } });

const userLogin = { type: "authorized_user", client_id: "id", client_secret: "cs", refresh_token: "rt" };

/** Writes a file of logins, and says what finds it. */
async function keyFile(content: unknown): Promise<{ readonly path: string; readonly env: Record<string, string> }> {
  const path = join(await temporaryDirectory(), "key.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return { path, env: { GOOGLE_APPLICATION_CREDENTIALS: path } };
}

async function found(
  transport: Transport,
  more: Partial<CredentialContext> = {},
): Promise<{ readonly credential: Credential | undefined; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const onWarning = (text: string): void => void warnings.push(text);
  const source = googleCredentials(credentialContext(transport, { onWarning, ...more }));
  return { credential: await source.find(host, "project/repo/app"), warnings };
}

const secretOf = (credential: Credential | undefined): string | undefined =>
  credential?.kind === "basic" ? credential.password.reveal() : undefined;

describe("a key of a service account", () => {
  test("buys a token with what it signs, and says whose it is and where from", async () => {
    const claims: unknown[] = [];
    const google = await startGoogle({
      "POST oauth2.googleapis.com/token": async (asked) => {
        claims.push(await claimsOf(asked.body));
        expect(new URLSearchParams(asked.body).get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
        return token(asked);
      },
    });
    const { path, env } = await keyFile(serviceAccount);
    const { credential, warnings } = await found(google.transport, { env });
    expect(credential).toMatchObject({
      kind: "basic",
      username: "oauth2accesstoken",
      origin: `${path} (GOOGLE_APPLICATION_CREDENTIALS) (${serviceAccount.client_email})`,
    });
    expect(secretOf(credential)).toBe("bought");
    expect(claims).toMatchObject([{ iss: serviceAccount.client_email, scope }]);
    expect(warnings).toEqual([]);
  });

  test("that Google has no more is warned of, with the way out, and nothing is used", async () => {
    const google = await startGoogle({
      "POST oauth2.googleapis.com/token": () => ({
        status: 400,
        body: { error: "invalid_grant", error_description: "Invalid JWT Signature." },
      }),
    });
    const { credential, warnings } = await found(google.transport, await keyFile(serviceAccount));
    expect(credential).toBeUndefined();
    expect(warnings).toEqual([
      expect.stringMatching(
        /Google does not take the login of robot@\S+ in \S+key\.json .*: invalid_grant: Invalid JWT Signature\.; .*new key/,
      ),
    ]);
    expect(google.asked).toHaveLength(1);
  });

  test("whose private key is none is told without a word of it", async () => {
    const { credential, warnings } = await found(
      unreachable,
      await keyFile({ ...serviceAccount, private_key: "-----BEGIN s3cret" }),
    );
    expect(credential).toBeUndefined();
    expect(warnings.join()).toContain('its "private_key" is no key in PEM form');
    expect(warnings.join()).not.toContain("s3cret");
  });

  test("cannot be used where Google is not reached", async () => {
    const { credential, warnings } = await found(unreachable, await keyFile(serviceAccount));
    expect(credential).toBeUndefined();
    expect(warnings.join()).toContain("oauth2.googleapis.com cannot be reached");
  });
});

test("a user's login of gcloud, in its folder, is renewed", async () => {
  const google = await startGoogle({ "POST oauth2.googleapis.com/token": token });
  const home = await temporaryDirectory();
  await mkdir(join(home, ".config", "gcloud"), { recursive: true });
  const file = join(home, ".config", "gcloud", "application_default_credentials.json");
  await writeFile(file, JSON.stringify(userLogin));
  const { credential } = await found(google.transport, { home });
  expect(credential?.origin).toBe(file);
  expect(Object.fromEntries(new URLSearchParams(google.asked[0]!.body))).toMatchObject({
    grant_type: "refresh_token",
    refresh_token: "rt",
    client_id: "id",
    client_secret: "cs",
  });
  const elsewhere = await found(google.transport, { home, env: { CLOUDSDK_CONFIG: join(home, "none") } });
  expect(elsewhere.credential).toBeUndefined();
});

test("a user's login is taken by an OAuth server that others wrote", async () => {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  await server.start(0, "127.0.0.1");
  onTestFinished(() => server.stop());
  const sockets = wire({ settingsOf: () => ({}), userAgent: "test" });
  onTestFinished(() => sockets.close());
  const { port } = server.address();
  const transport: Transport = (request) =>
    sockets({ ...request, url: new URL(`http://127.0.0.1:${port}${request.url.pathname}`) });
  const { credential, warnings } = await found(transport, await keyFile(userLogin));
  expect(warnings).toEqual([]);
  const keys = createLocalJWKSet({ keys: server.issuer.keys.toJSON() });
  expect((await jwtVerify(secretOf(credential)!, keys)).payload.iss).toBe(server.issuer.url);
});

describe("a login of another service (workload identity federation)", () => {
  const federated = async (source: unknown): Promise<Record<string, unknown>> => ({
    type: "external_account",
    audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/ci",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: "https://sts.googleapis.com/v1/token",
    credential_source: source,
  });

  test("is exchanged, and acts as a service account, all through our transport", async () => {
    const subject = join(await temporaryDirectory(), "subject");
    await writeFile(subject, "the subject's token");
    const google = await startGoogle({
      "POST sts.googleapis.com/v1/token": ({ body }) => {
        expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
          grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
          subject_token: "the subject's token",
          scope,
        });
        return { body: { access_token: "federated", expires_in: 3600, token_type: "Bearer" } };
      },
      "POST iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/robot@p.test:generateAccessToken": ({
        headers,
      }) => {
        expect(headers.authorization).toBe("Bearer federated");
        return { body: { accessToken: "acting", expireTime: new Date(Date.now() + 3_600_000).toISOString() } };
      },
    });
    const { credential, warnings } = await found(
      google.transport,
      await keyFile({
        ...(await federated({ file: subject })),
        service_account_impersonation_url:
          "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/robot@p.test:generateAccessToken",
      }),
    );
    expect(warnings).toEqual([]);
    expect(secretOf(credential)).toBe("acting");
    expect(credential?.origin).toContain("robot@p.test");
  });

  const exchanged: Route = () => ({ body: { access_token: "federated", expires_in: 3600 } });

  test("may come from a server of the machine's own", async () => {
    const google = await startGoogle({
      "GET 169.254.169.254/token": ({ headers }) => {
        expect(headers["metadata"]).toBe("True");
        return { body: { access_token: "of the machine" } };
      },
      "POST sts.googleapis.com/v1/token": (asked) => {
        expect(new URLSearchParams(asked.body).get("subject_token")).toBe("of the machine");
        return exchanged(asked);
      },
    });
    const source = {
      url: "http://169.254.169.254/token",
      headers: { Metadata: "True" },
      format: { type: "json", subject_token_field_name: "access_token" },
    };
    const { credential, warnings } = await found(google.transport, await keyFile(await federated(source)));
    expect(warnings).toEqual([]);
    expect(secretOf(credential)).toBe("federated");
  });

  test("may be what AWS signs", async () => {
    vi.stubEnv("AWS_REGION", "eu-west-1");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "s3cret");
    onTestFinished(() => void vi.unstubAllEnvs());
    const google = await startGoogle({
      "POST sts.googleapis.com/v1/token": (asked) => {
        const subject = new URLSearchParams(asked.body).get("subject_token") ?? "";
        expect(JSON.parse(decodeURIComponent(subject))).toMatchObject({
          url: "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
          method: "POST",
        });
        expect(subject).not.toContain("s3cret");
        return exchanged(asked);
      },
    });
    const source = {
      environment_id: "aws1",
      regional_cred_verification_url: "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
    };
    const { credential, warnings } = await found(google.transport, await keyFile(await federated(source)));
    expect(warnings).toEqual([]);
    expect(secretOf(credential)).toBe("federated");
  });

  test("comes from no program that is not allowed, and from no certificate", async () => {
    const program = await found(
      unreachable,
      await keyFile(await federated({ executable: { command: "/bin/false", timeout_millis: 5000 } })),
    );
    expect(program.warnings.join()).toContain("executables need to be explicitly allowed to run");
    const certificate = { certificate: { use_default_certificate_config: true } };
    const shown = await found(unreachable, await keyFile(await federated(certificate)));
    expect(shown.warnings.join()).toContain("wants a client certificate shown to Google");
  });

  test("of a person is renewed", async () => {
    const google = await startGoogle({
      "POST sts.googleapis.com/v1/oauthtoken": ({ body, headers }) => {
        expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
          grant_type: "refresh_token",
          refresh_token: "rt",
        });
        expect(headers.authorization).toBe(`Basic ${Buffer.from("id:cs").toString("base64")}`);
        return { body: { access_token: "of a person", expires_in: 3600 } };
      },
    });
    const { credential, warnings } = await found(
      google.transport,
      await keyFile({ ...userLogin, type: "external_account_authorized_user" }),
    );
    expect(warnings).toEqual([]);
    expect(secretOf(credential)).toBe("of a person");
  });

  test("whose pool refuses it is told with what Google says of it", async () => {
    const subject = join(await temporaryDirectory(), "subject");
    await writeFile(subject, "t0ken");
    const google = await startGoogle({
      "POST sts.googleapis.com/v1/token": () => ({
        status: 400,
        body: { error: "invalid_grant", error_description: "The audience in ID Token does not match." },
      }),
    });
    const { warnings } = await found(google.transport, await keyFile(await federated({ file: subject })));
    expect(warnings.join()).toMatch(/invalid_grant: The audience in ID Token does not match\..*conditions/);
    expect(google.asked).toHaveLength(1);
  });

  test("is not sent in the clear, and its source is not quoted", async () => {
    const subject = join(await temporaryDirectory(), "subject");
    await writeFile(subject, "s3cret is no JSON");
    const plain = { ...(await federated({ file: subject })), token_url: "http://sts.test/v1/token" };
    const sent = await found(unreachable, await keyFile(plain));
    expect(sent.warnings.join()).toContain("a login would be sent to sts.test over plain HTTP");
    const json = { file: subject, format: { type: "json", subject_token_field_name: "id" } };
    const quoted = await found(unreachable, await keyFile(await federated(json)));
    expect(quoted.warnings.join()).toContain("what its source of tokens gives is no JSON");
    expect(quoted.warnings.join()).not.toContain("s3cret");
    const absent = await found(unreachable, await keyFile(await federated({ file: `${subject}.none` })));
    expect(absent.warnings.join()).toContain(`${subject}.none does not exist`);
  });
});

test("an account that may act as another does, and what it lacks is told", async () => {
  const path = "/v1/projects/-/serviceAccounts/other@p.test:generateAccessToken";
  const allowed = { body: { accessToken: "acting", expireTime: "2100-01-01T00:00:00Z" } };
  const message = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
  const denied = { status: 403, body: { error: { code: 403, message, status: "PERMISSION_DENIED" } } };
  const file = await keyFile({
    type: "impersonated_service_account",
    service_account_impersonation_url: `https://iamcredentials.googleapis.com${path}`,
    source_credentials: userLogin,
  });
  for (const answer of [allowed, denied]) {
    const google = await startGoogle({
      "POST oauth2.googleapis.com/token": token,
      [`POST iamcredentials.googleapis.com${path}`]: ({ headers, body }) => {
        expect(headers.authorization).toBe("Bearer bought");
        expect(JSON.parse(body)).toEqual({ scope: [scope], lifetime: "3600s" });
        return answer;
      },
    });
    const { credential, warnings } = await found(google.transport, file);
    if (answer === allowed) expect(secretOf(credential)).toBe("acting");
    else expect(warnings.join()).toMatch(/act as other@p\.test .*getAccessToken.*serviceAccountTokenCreator/);
  }
});

test.each([
  ["no JSON", "{private", "is no JSON"],
  ["another kind of JSON", "[]", "is no JSON object"],
  ["no type", {}, 'has no "type"'],
  ["a client of OAuth", { installed: { client_secret: "s3cret" } }, "is an OAuth client, which is no login"],
  ["a type of another kind", { type: "gdch_service_account" }, 'has the type "gdch_service_account", not'],
  ["a key without its key", { type: "service_account", client_email: "a@b.test" }, 'has no "private_key"'],
  ["a key of another universe", { ...serviceAccount, universe_domain: "other.test" }, "is of another universe"],
  ["a source that is none", { type: "external_account", audience: "a", subject_token_type: "t" }, "credential_source"],
])("a file with %s is named, and what is wrong with it", async (_case, content, says) => {
  const { path, env } = await keyFile(content);
  const { credential, warnings } = await found(unreachable, { env });
  expect(credential).toBeUndefined();
  expect(warnings.join()).toContain(path);
  expect(warnings.join()).toContain(says);
  expect(warnings.join()).not.toMatch(/s3cret|BEGIN/);
});

test("a file that is named and not there is warned of", async () => {
  const { credential, warnings } = await found(unreachable, { env: { GOOGLE_APPLICATION_CREDENTIALS: "/nowhere/k" } });
  expect(credential).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining("/nowhere/k (GOOGLE_APPLICATION_CREDENTIALS): ENOENT")]);
});

describe("gcloud, last of all", () => {
  const print = (text: string): string => `echo "$@" >>"$CALLS"\ncat <<'END'\n${text}\nEND`;
  const start = async (script: string, isLoggedIn = true): Promise<Partial<CredentialContext>> => {
    const { PATH, folder } = await programs({ gcloud: script });
    if (isLoggedIn) await writeFile(join(folder, "credentials.db"), "");
    return { env: { PATH, CALLS: join(folder, "calls"), CLOUDSDK_CONFIG: folder } };
  };

  test("gives its token", async () => {
    const told = { credential: { access_token: "of gcloud", token_expiry: "2100-01-01T00:00:00Z" } };
    const { credential } = await found(unreachable, await start(print(JSON.stringify(told))));
    expect(secretOf(credential)).toBe("of gcloud");
    expect(credential?.origin).toBe("gcloud config config-helper");
  });

  test("is not even started where nobody ever logged in", async () => {
    const { credential, warnings } = await found(unreachable, await start("exit 9", false));
    expect([credential, warnings]).toEqual([undefined, []]);
  });

  test.each([
    ["has no active account", "echo 'You do not currently have an active account selected.' >&2; exit 1", ""],
    ["fails", "echo 'ERROR: Reauthentication failed.' >&2; exit 1", "ends with 1: ERROR: Reauthentication failed."],
    ["writes no JSON", "echo 's3cret'", "writes no JSON"],
    ["has no token", "echo '{}'", "gives no access token"],
  ])("that %s gives none", async (_case, script, says) => {
    const { credential, warnings } = await found(unreachable, await start(script));
    expect(credential).toBeUndefined();
    expect(warnings.join()).toContain(says);
    expect(warnings.length).toBe(says === "" ? 0 : 1);
    expect(warnings.join()).not.toContain("s3cret");
  });
});

test("a token is bought once for all who ask, again when it is about to expire, and read anew from the file", async () => {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, random: () => 0, sleep: () => new Promise(() => {}) };
  const google = await startGoogle({ "POST oauth2.googleapis.com/token": token });
  const { path, env } = await keyFile(serviceAccount);
  const expires = Date.now() + 3600 * 1000;
  const source = googleCredentials(credentialContext(google.transport, { env, clock }));
  await Promise.all(["a", "b", "c"].map((repository) => source.find(host, repository)));
  expect(google.asked).toHaveLength(1);
  now = expires - 120_000;
  await source.find(host, "a");
  expect(google.asked).toHaveLength(1);
  now = expires;
  await writeFile(path, JSON.stringify({ ...serviceAccount, client_email: "new@p.test" }));
  expect((await source.find(host, "a"))?.origin).toContain("new@p.test");
  expect(google.asked).toHaveLength(2);
});

test("whoever is interrupted takes nobody's token away", async () => {
  const google = await startGoogle({ "POST oauth2.googleapis.com/token": token });
  const source = googleCredentials(credentialContext(google.transport, await keyFile(serviceAccount)));
  const stopped = new AbortController();
  const first = source.find(host, "a", stopped.signal);
  const second = source.find(host, "b");
  stopped.abort();
  await expect(first).rejects.toMatchObject({ code: "ABORTED" });
  expect(secretOf(await second)).toBe("bought");
});
