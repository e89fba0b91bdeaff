import { createRegistry } from "../../../src/server/registry.ts";
import { memoryStorage } from "../../../src/server/storage/memory.ts";
import { remoteShared } from "../../../src/store/remote/shared.ts";
import { remoteStore } from "../../../src/store/remote/remote-store.ts";
import { limit } from "../../../src/transport/limit.ts";
import { redirect } from "../../../src/transport/redirect.ts";
import { retry } from "../../../src/transport/retry.ts";
import { scheme } from "../../../src/transport/scheme.ts";
import { compose } from "../../../src/transport/transport.ts";
import { wire } from "../../../src/transport/wire.ts";
import { storeContract } from "../../contract/store.ts";
import { fakeRegistry, type Behaviour } from "../../support/fake-registry.ts";

const noRepository = {
  test: "an empty store has no tags",
  reason: "a repository without anything in it is not there: NAME_UNKNOWN",
};

storeContract(
  "a registry in this process",
  async () => {
    const registry = createRegistry({ storage: memoryStorage() });
    const open = () =>
      remoteStore({ transport: registry.transport, registry: "registry.example", repository: "app/image" });
    return { store: open(), reopen: async () => open(), cleanup: () => registry.close() };
  },
  { skip: [noRepository] },
);

storeContract(
  "a registry on a socket",
  async () => {
    const registry = createRegistry({ storage: memoryStorage() });
    const { host } = await registry.listen();
    const network = wire();
    const transport = compose(network, retry(), scheme(), redirect(), limit());
    const shared = remoteShared(host);
    const open = () => remoteStore({ transport, registry: host, repository: "app/image", shared });
    const cleanup = async (): Promise<void> => {
      network.close();
      await registry.close();
    };
    return { store: open(), reopen: async () => open(), cleanup };
  },
  { skip: [noRepository] },
);

const tagSchema = [
  "referrers are listed with artifact type and annotations",
  "what was flushed is there when opened again",
].map((test) => ({ test, reason: "the list of referrers is a tag of its own here, and listed as one" }));

const registries: readonly (readonly [string, Behaviour])[] = [
  [
    "a registry that has no referrers API, no digests in its answers and no mounts",
    { noReferrers: 404, digestHeader: "none", mount: 405 },
  ],
  ["a registry in pages, with uploads elsewhere", { pageSize: 2, location: "elsewhere", uploadQuery: "?_state=a%2Fb" }],
  ["a registry whose requests take 2 MiB at most", { bodyLimit: 2 * 1024 * 1024, range: "ignored" }],
];

for (const [name, behaviour] of registries) {
  const skip = behaviour.noReferrers ? [noRepository, ...tagSchema] : [noRepository];
  storeContract(
    name,
    async () => {
      const { transport } = fakeRegistry(behaviour);
      const open = () => remoteStore({ transport, registry: "registry.example", repository: "app" });
      return { store: open(), reopen: async () => open() };
    },
    { skip },
  );
}
