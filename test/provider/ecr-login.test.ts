import { describe, expect, test } from "vitest";
import type { CredentialSource } from "../../src/auth/credential.ts";
import { RegistryError } from "../../src/oci/error.ts";
import { ecr } from "../../src/provider/ecr/provider.ts";
import type { CredentialContext } from "../../src/provider/provider.ts";
import { systemClock } from "../../src/transport/clock.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { awsApi, awsEnv, fault } from "./aws.ts";
import { ecrAnswers } from "./aws-answers.ts";
import { host, thrown } from "./ecr-registry.ts";
import { serviceContext } from "./support.ts";

describe("the login of a registry", () => {
  const from = (context: CredentialContext): Promise<CredentialSource> => ecr.credentials!(context);

  test("is the user AWS and the token's password, which may have colons in it", async () => {
    const { transport } = awsApi(ecrAnswers);
    const found = await (await from(serviceContext(host, { env: awsEnv, transport }))).find(host, "team/app");
    expect(found).toMatchObject({
      kind: "basic",
      username: "AWS",
      origin: "ecr:GetAuthorizationToken by AWS_ACCESS_KEY_ID",
    });
    expect(found?.kind === "basic" && found.password.reveal()).toBe("p4ss:word");
    expect(JSON.stringify(found)).not.toContain("p4ss");
  });

  test("is one for all accounts of a region, and one for each region", async () => {
    const { transport, calls } = awsApi(ecrAnswers);
    const ask = async (name: string): Promise<unknown> =>
      (await from(serviceContext(name, { env: awsEnv, transport }))).find(name, "");
    const other = "999999999999.dkr.ecr.eu-west-1.amazonaws.com";
    const abroad = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
    const [a, b, c] = await Promise.all([ask(host), ask(other), ask(abroad)]);
    expect(a).toBe(b);
    expect(a).not.toBe(c);
    expect(calls.map((call) => call.host).sort()).toEqual([
      "api.ecr.eu-west-1.amazonaws.com",
      "api.ecr.us-east-1.amazonaws.com",
    ]);
  });

  test("is renewed shortly before it expires; one that is past already is kept for a minute", async () => {
    let now = Date.now();
    let expires = now / 1000 + 12 * 3600;
    const token = (): unknown => ({ authorizationData: [{ authorizationToken: btoa("AWS:p"), expiresAt: expires }] });
    const { transport, calls } = awsApi({ GetAuthorizationToken: token });
    const clock = { ...systemClock, now: () => now };
    const source = await from(serviceContext(host, { env: awsEnv, transport, clock }));
    const after = async (ms: number): Promise<number> => {
      now += ms;
      await source.find(host, "");
      return calls.length;
    };
    expect(await after(0)).toBe(1);
    expect(await after(11.9 * 3_600_000)).toBe(1);
    expires = 1_420_070_400; // 2015
    expect(await after(0.05 * 3_600_000)).toBe(2);
    expect(await after(59_000)).toBe(2);
    expires = (now + 32_000) / 1000;
    expect(await after(2000)).toBe(3);
    expect(await after(29_000)).toBe(3);
    expect(await after(2000)).toBe(4);
  });

  test("a refusal names the permission, and is not kept", async () => {
    let refused = false;
    const answer = (): unknown => {
      if (refused) return ecrAnswers["GetAuthorizationToken"]!({});
      refused = true;
      return fault("AccessDeniedException", "User: x is not authorized to perform: ecr:GetAuthorizationToken on *");
    };
    const { transport } = awsApi({ GetAuthorizationToken: answer });
    const source = await from(serviceContext(host, { env: awsEnv, transport }));
    const error = await thrown(source.find(host, ""));
    expect(error).toMatchObject({
      code: "DENIED",
      hint: expect.stringContaining("ecr:GetAuthorizationToken") as string,
    });
    expect(await source.find(host, "")).toMatchObject({ username: "AWS" });
  });

  test.each([{ authorizationData: [] }, { authorizationData: [{ authorizationToken: "bm8gY29sb24=" }] }, {}])(
    "%j is no token",
    async (answer) => {
      const { transport } = awsApi({ GetAuthorizationToken: () => answer });
      const source = await from(serviceContext(host, { env: awsEnv, transport }));
      expect(await thrown(source.find(host, ""))).toMatchObject({ code: "UNAUTHORIZED" });
    },
  );

  test("a region that is not there is what the message is about", async () => {
    const env = awsEnv;
    const transport: Transport = async ({ url }) => {
      const cause = Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
      throw new RegistryError("NETWORK", `${url.host} is not known`, { host: url.host, cause });
    };
    const at = "123456789012.dkr.ecr.eu-wst-1.amazonaws.com";
    const error = await thrown((await from(serviceContext(at, { env, transport }))).find(at, ""));
    expect(error).toMatchObject({ code: "NETWORK", hint: expect.stringContaining("region eu-wst-1") as string });
  });

  test("who waits may give up, and the others get it", async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const api = awsApi(ecrAnswers);
    const transport: Transport = async (request) => {
      await gate;
      return api.transport(request);
    };
    const source = await from(serviceContext(host, { env: awsEnv, transport }));
    const stop = new AbortController();
    const [given, got] = [source.find(host, "", stop.signal), source.find(host, "")];
    stop.abort();
    expect(await thrown(given)).toMatchObject({ code: "ABORTED" });
    release();
    expect(await got).toMatchObject({ username: "AWS" });
  });
});
