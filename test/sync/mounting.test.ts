import { expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { contentOf } from "../../src/oci/stream.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { mounting } from "../../src/sync/mounting.ts";
import { image } from "../support/images.ts";

const [config, layer] = image("app").blobs as [Blob, Blob];
type Blob = ReturnType<typeof image>["blobs"][number];
const own = { registry: "mirror.example", repository: "deep/hub/app" };

test("what a bundle leaves to another repository is mounted from there, or read where that cannot be", async () => {
  const [base, app] = [memoryStore("base"), memoryStore("app")];
  await base.putBlob(layer.descriptor, contentOf(layer.bytes));
  const [asked, mounts]: [string[], (string | undefined)[]] = [[], []];
  const store = mounting(
    {
      ...app,
      async putBlob(blob, content, call) {
        mounts.push(call?.mountFrom);
        return app.putBlob(blob, content, call);
      },
    },
    own,
    {
      repository: "hub/app",
      holder: async (blob: Digest) => (blob === layer.descriptor.digest ? "hub/base" : undefined),
    },
    (at) => {
      asked.push(at);
      return base;
    },
  );
  const lost = async (): Promise<never> => {
    throw new Error("it is not in the bundle");
  };
  expect(await store.putBlob(layer.descriptor, lost)).toBe("written");
  expect(await store.putBlob(config.descriptor, contentOf(config.bytes), { mountFrom: "hub/other" })).toBe("written");
  expect(mounts).toEqual(["deep/hub/base", "hub/other"]);
  expect(asked).toEqual([`mirror.example/deep/hub/base@${layer.descriptor.digest}`]);
  expect(await app.size(layer.descriptor.digest)).toBe(layer.bytes.length);
});
