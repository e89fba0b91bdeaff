// A registry inside the process, for tests: the client's store speaks to it without a socket.
import { artifactFile, attach, buildManifest, contentOf, digestOf, mediaTypes } from "gantry";
import { createRegistry, memoryStorage } from "gantry/server";
import { remoteStore } from "gantry/store";

const registry = createRegistry({ storage: memoryStorage() });
const store = remoteStore({ transport: registry.transport, registry: "registry.test", repository: "app" });

const config = Buffer.from(
  JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } }),
);
const descriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.byteLength };
await store.putBlob(descriptor, contentOf(config));
await store.putManifest(buildManifest({ mediaType: mediaTypes.ociManifest, config: descriptor, layers: [] }), {
  tag: "v1",
});

const notes = artifactFile(Buffer.from("first release\n"), "text/plain", "notes.txt");
await attach(store, { artifactType: "application/vnd.example.notes", files: [notes] }, { subject: "v1" });

const image = await store.head("v1");
for await (const referrer of store.referrers(image!.digest)) console.log(referrer.artifactType, referrer.digest);
await registry.close();
