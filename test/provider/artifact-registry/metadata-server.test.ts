import { describe, expect, test } from "vitest";
import { machineToken } from "../../../src/provider/artifact-registry/metadata-server.ts";
import { googleCredentials } from "../../../src/provider/artifact-registry/credentials.ts";
import { RegistryError } from "../../../src/oci/error.ts";
import { aborted, systemClock, type Clock } from "../../../src/transport/clock.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { unreachable } from "../support.ts";
import { credentialContext, startGoogle, type Route } from "./google.ts";

const path = "/computeMetadata/v1/instance/service-accounts/default/token";
const flavour = { "metadata-flavor": "Google" };
const token: Route = ({ headers }) => {
  expect(headers["metadata-flavor"]).toBe("Google");
  return { headers: flavour, body: { access_token: "of the machine", expires_in: 1800, token_type: "Bearer" } };
};
const product = (name: string) => async (): Promise<string> => name;

/** A clock that tells what was waited for, and ends waits at once. */
function hurried(): Clock & { readonly waits: readonly number[] } {
  const waits: number[] = [];
  return { now: () => 0, random: () => 0, waits, sleep: async (ms) => void waits.push(ms) };
}

/** Nobody answers, and nobody refuses either. */
const hangs: Transport = ({ signal }) =>
  new Promise((_resolve, reject) => {
    const abort = (): void => reject(aborted(signal));
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort);
  });

describe("the metadata server", () => {
  test("gives the token of the machine's or the pod's account", async () => {
    const google = await startGoogle({ [`GET 169.254.169.254${path}`]: token });
    const found = await machineToken(
      { env: {}, transport: google.transport, clock: systemClock },
      { product: product("Google Compute Engine\n") },
    );
    expect(found?.token.reveal()).toBe("of the machine");
    expect(found!.expires - Date.now()).toBeGreaterThan(1_700_000);
  });

  test("is asked where GCE_METADATA_HOST says", async () => {
    const google = await startGoogle({ [`GET metadata.test:8080${path}`]: token });
    const env = { METADATA_SERVER_DETECTION: "", GCE_METADATA_HOST: "metadata.test:8080" };
    const source = googleCredentials(credentialContext(google.transport, { env }));
    expect(await source.find("gcr.io", "project/app")).toMatchObject({
      username: "oauth2accesstoken",
      origin: expect.stringContaining("metadata server") as unknown,
    });
  });

  test.each([
    ["the firmware", {}, "Google Compute Engine"],
    ["Cloud Run", { K_SERVICE: "service" }, ""],
    ["the variable", { GCE_METADATA_HOST: "169.254.169.254" }, ""],
    ["the user", { METADATA_SERVER_DETECTION: "assume-present" }, ""],
  ])("that hangs where %s says that it is there is given up after a second, and told", async (_case, env, name) => {
    const clock = hurried();
    const found = machineToken({ env, transport: hangs, clock }, { product: product(name) });
    await expect(found).rejects.toMatchObject({ code: "TIMEOUT", hint: expect.stringContaining("none") as unknown });
    expect(clock.waits).toEqual([1000]);
  });

  test("that hangs where nothing points to one costs a quarter of a second, and no word", async () => {
    const clock = hurried();
    expect(await machineToken({ env: {}, transport: hangs, clock }, { product: product("KVM") })).toBeUndefined();
    expect(clock.waits).toEqual([250]);
    expect(await machineToken({ env: {}, transport: unreachable, clock }, { product: product("") })).toBeUndefined();
  });

  test("is really given up, though its connection stays open", async () => {
    const google = await startGoogle({ [`GET 169.254.169.254${path}`]: () => "hang" });
    const { transport } = google;
    const found = machineToken({ env: {}, transport, clock: systemClock }, { product: product("") });
    expect(await found).toBeUndefined();
    expect(google.asked).toHaveLength(1);
  });

  test.each([{ METADATA_SERVER_DETECTION: "none" }, { NO_GCE_CHECK: "true", K_SERVICE: "service" }])(
    "is not asked with %o",
    async (env) => {
      const never: Transport = () => expect.unreachable();
      expect(await machineToken({ env, transport: never, clock: systemClock })).toBeUndefined();
    },
  );

  test("of another cloud is none", async () => {
    const google = await startGoogle({
      [`GET 169.254.169.254${path}`]: () => ({ body: { access_token: "of another", expires_in: 9 } }),
    });
    const { transport } = google;
    expect(await machineToken({ env: {}, transport, clock: systemClock }, { product: product("") })).toBeUndefined();
  });

  test("of a machine without an account has none, and one that is broken is told", async () => {
    const answers = async (status: number, body: unknown): Promise<unknown> => {
      const google = await startGoogle({ [`GET 169.254.169.254${path}`]: () => ({ status, headers: flavour, body }) });
      const { transport } = google;
      return machineToken({ env: {}, transport, clock: systemClock }, { product: product("Google") });
    };
    expect(await answers(404, "")).toBeUndefined();
    await expect(answers(403, "s3cret")).rejects.toMatchObject({ code: "UNAVAILABLE", status: 403 });
    await expect(answers(200, { access_token: 1 })).rejects.toThrow("answered 200, without a token");
  });

  test("is not asked through a proxy, which may be a machine of Google's itself", async () => {
    const never: Transport = () => expect.unreachable();
    const env = { http_proxy: "http://proxy.test:3128" };
    const context = { env, transport: never, clock: systemClock };
    expect(await machineToken(context, { product: product("") })).toBeUndefined();
    await expect(machineToken(context, { product: product("Google") })).rejects.toMatchObject({
      hint: "add 169.254.169.254 to NO_PROXY",
    });
    const google = await startGoogle({ [`GET 169.254.169.254${path}`]: token });
    const past = { env: { ...env, NO_PROXY: "169.254.0.0/16" }, transport: google.transport, clock: systemClock };
    expect(await machineToken(past, { product: product("") })).toBeDefined();
  });

  test("whoever is interrupted waits no longer", async () => {
    const stopped = AbortSignal.abort();
    const found = machineToken(
      { env: {}, transport: hangs, clock: systemClock },
      { signal: stopped, product: product("") },
    );
    await expect(found).rejects.toSatisfy((error) => error instanceof RegistryError && error.code === "ABORTED");
  });
});
