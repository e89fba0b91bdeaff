import { expect, test } from "vitest";
import { servicesOf, type Services, type ServicesOptions } from "../src/services.ts";
import { RegistryError } from "../src/oci/error.ts";
import { streamOf } from "../src/oci/stream.ts";
import { remoteRegistry } from "../src/store/remote/remote-store.ts";
import type { Transport } from "../src/transport/transport.ts";

/** The services that are found over a network that is asked nothing but what they are. */
function over(direct: Transport): Services {
  const credentials = { name: "none", find: async () => undefined };
  const stack = { direct, transport: direct, credentials, announced: new Map() };
  return servicesOf({
    env: {},
    home: "/nonexistent",
    settingsOf: () => ({}),
    isInsecure: () => false,
    stack: () => stack as unknown as ReturnType<ServicesOptions["stack"]>,
    registry: (registry) => remoteRegistry({ transport: direct, registry }),
  });
}

test("who gives up while a service is found out leaves it to the others that wait", async () => {
  const waiting: (() => void)[] = [];
  const services = over(async ({ signal }) => {
    await new Promise<void>((resolve, reject) => {
      waiting.push(resolve);
      signal?.addEventListener("abort", () => reject(new Error("given up")), { once: true });
    });
    return { status: 200, headers: {}, body: streamOf(Buffer.from("{}")) };
  });
  const stop = new AbortController();
  const first = services.open("registry.example", { signal: stop.signal }).catch((error: unknown) => error);
  const second = services.open("registry.example");
  await expect.poll(() => waiting.length).toBe(1);
  stop.abort();
  expect(await first).toMatchObject({ code: "ABORTED" });
  const answering = setInterval(() => waiting.splice(0).forEach((answer) => answer()), 1);
  try {
    expect((await second).provider.name).toBe("generic");
  } finally {
    clearInterval(answering);
  }
});

test("what a registry is, is asked again where its answer broke off", async () => {
  let isBroken = true;
  const services = over(async ({ url }) => {
    const isProbe = url.pathname === "/api/v2.0/systeminfo";
    const body = Buffer.from(JSON.stringify(isProbe ? { harbor_version: "v2.12.0", auth_mode: "db_auth" } : {}));
    async function* broken(): AsyncGenerator<Uint8Array, void> {
      yield body.subarray(0, 1);
      throw new RegistryError("NETWORK", "the connection broke");
    }
    return { status: 200, headers: {}, body: isProbe && isBroken ? broken() : streamOf(body) };
  });
  await expect(services.open("registry.example")).rejects.toMatchObject({ code: "NETWORK" });
  isBroken = false;
  expect((await services.open("registry.example")).provider.name).toBe("harbor");
});
