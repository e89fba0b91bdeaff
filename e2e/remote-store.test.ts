import { afterAll, beforeAll } from "vitest";
import { remoteShared } from "../src/store/remote/shared.ts";
import { remoteStore } from "../src/store/remote/remote-store.ts";
import { limit } from "../src/transport/limit.ts";
import { redirect } from "../src/transport/redirect.ts";
import { retry } from "../src/transport/retry.ts";
import { scheme } from "../src/transport/scheme.ts";
import { compose } from "../src/transport/transport.ts";
import { wire, type Wire } from "../src/transport/wire.ts";
import { storeContract, type StoreUnderTest } from "../test/contract/store.ts";
import { faultyProxy, type FaultRule, type FaultyProxy } from "../test/support/faults.ts";
import { instantClock } from "../test/support/instant-clock.ts";
import { describeWith } from "./support/peers.ts";
import { startDockerRegistry, type RunningRegistry } from "./support/registries.ts";

const noTagDelete = "distribution 2.8 deletes no tags";
const unsorted = "distribution 2.8 lists tags in no order";
const tagSchema = "the list of referrers is a tag of its own there";

/** What distribution 2.8 cannot do, whoever asks. */
const skip = [
  { test: "an empty store has no tags", reason: "a repository without tags is not there: NAME_UNKNOWN" },
  {
    test: "a manifest put without a tag is found by its digest alone",
    reason: "a repository without tags is not there",
  },
  { test: "deleting a tag leaves its siblings and the manifest", reason: noTagDelete },
  { test: "deleting the last tag leaves the manifest", reason: noTagDelete },
  { test: "tags come in byte order", reason: unsorted },
  { test: "two tags name one manifest", reason: unsorted },
  { test: "many tags put at once are all there", reason: unsorted },
  { test: "referrers are listed with artifact type and annotations", reason: tagSchema },
  { test: "what was flushed is there when opened again", reason: tagSchema },
  {
    test: "an artifact manifest comes back byte for byte, by tag and by digest, with its children",
    reason: "distribution 2.8 knows no artifact manifests",
  },
  { test: "a layer is no manifest", reason: "distribution 2.8 answers 500 to that question" },
  {
    test: "deleting a manifest that is not there is MANIFEST_UNKNOWN",
    reason: "it asks for a layer as a manifest too",
  },
];

const body = (method: string, nth: number, at: number, on: "request" | "response"): FaultRule => ({
  match: (got, url) => got === method && url.includes("/blobs/"),
  nth,
  do: { fault: "drop", on, at },
});

/** Every seventh connection breaks in the middle of a blob, for as long as blobs are that long. */
const unreliable: readonly FaultRule[] = Array.from({ length: 30 }, (_, i) => [
  body("PUT", 7 * i + 2, 200 * (i + 1), "request"),
  body("PATCH", 7 * i + 2, 5000 * (i + 1), "request"),
  body("GET", 7 * i + 2, 400 * (i + 1), "response"),
]).flat();

describeWith("docker-registry", "a store in docker-registry", () => {
  let registry: RunningRegistry;
  let proxy: FaultyProxy;
  let network: Wire;
  let serial = 0;

  beforeAll(async () => {
    registry = await startDockerRegistry();
    proxy = await faultyProxy(registry.host, unreliable);
    network = wire();
  });
  afterAll(async () => {
    network.close();
    await proxy.close();
    await registry.stop();
  });

  async function open(host: string, bodyLimit?: number): Promise<StoreUnderTest> {
    const clock = instantClock();
    const transport = compose(network, retry({ clock }), scheme(), redirect(), limit({ clock }));
    const shared = Object.assign(remoteShared(host), { bodyLimit });
    const store = remoteStore({ transport, registry: host, repository: `contract/${(serial += 1)}`, clock, shared });
    return { store };
  }

  storeContract("whole blobs", () => open(registry.host), { skip });
  storeContract("chunks of 1 MiB", () => open(registry.host, 1024 * 1024), { skip });
  storeContract("connections that break", () => open(proxy.host), {
    skip: [
      ...skip,
      { test: "with replace, a blob that is there is sent again", reason: "it counts how often it is sent" },
    ],
  });
});
