import { describe, expect, test } from "vitest";
import { nextLink } from "../../../src/store/remote/pages.ts";
import { remoteRegistry, remoteStore } from "../../../src/store/remote/remote-store.ts";
import { streamOf } from "../../../src/oci/stream.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { all, expectCode } from "../../contract/store.ts";
import { fakeRegistry, type Behaviour, type FakeRegistry } from "../../support/fake-registry.ts";
import { image } from "../../support/images.ts";
import { openFake, type Opened } from "./setup.ts";

const names = Array.from({ length: 25 }, (_, i) => `v${String(i).padStart(2, "0")}`);
const { digest } = image("tagged").manifest.descriptor;

function openWithTags(behaviour: Behaviour = {}): Opened {
  const opened = openFake(behaviour);
  opened.fake.repositories.set("app", {
    blobs: new Map(),
    manifests: new Map(),
    tags: new Map(names.map((name) => [name, digest])),
  });
  return opened;
}

describe("tags", () => {
  test("are one GET where they fit one page", async () => {
    const { store, log } = openWithTags();
    expect(await all(store.tags())).toEqual(names);
    expect(log()).toEqual(["GET /v2/app/tags/list?n=1000"]);
  });

  test("are followed from page to page", async () => {
    const { store, log } = openWithTags({ pageSize: 10 });
    expect(await all(store.tags())).toEqual(names);
    expect(log()).toHaveLength(3);
  });

  test("end where the last page has a link as well", async () => {
    const { store } = openWithTags({ pageSize: 10, link: "always" });
    expect(await all(store.tags())).toEqual(names);
  });

  test("end where a link leads back", async () => {
    const { store, log } = openWithTags({ pageSize: 10, link: "loop" });
    expect(await all(store.tags())).toEqual(names.slice(0, 10));
    expect(log().length).toBeLessThanOrEqual(2);
  });

  test("are not looked for at another host", async () => {
    const { store, log } = openWithTags({ pageSize: 10, link: "elsewhere" });
    await expectCode("NETWORK", () => all(store.tags()));
    expect(log()).toHaveLength(1);
  });

  test("go on after a full page that has no link", async () => {
    const many = Array.from({ length: 2500 }, (_, i) => `t${String(i).padStart(4, "0")}`);
    const { store, fake, log } = openFake({ pageSize: 1000, link: "none" });
    fake.repositories.set("app", {
      blobs: new Map(),
      manifests: new Map(),
      tags: new Map(many.map((name) => [name, digest])),
    });
    expect(await all(store.tags())).toEqual(many);
    expect(log()).toHaveLength(3);
  });

  test("of a registry that ignores paging end after one repetition", async () => {
    const many = Array.from({ length: 1500 }, (_, i) => `t${i}`);
    let asked = 0;
    const body = Buffer.from(JSON.stringify({ tags: many }));
    const transport = async () => ((asked += 1), { status: 200, headers: {}, body: streamOf(body) });
    const store = remoteStore({ transport, registry: "registry.example", repository: "app" });
    expect(await all(store.tags())).toEqual(many);
    expect(asked).toBe(2);
  });

  test("that are null are none; those of an unknown repository are NAME_UNKNOWN", async () => {
    const { store, fake } = openFake({ nullTags: true });
    await expectCode("NAME_UNKNOWN", () => all(store.tags()));
    fake.repositories.set("app", { blobs: new Map(), manifests: new Map(), tags: new Map() });
    expect(await all(store.tags())).toEqual([]);
  });

  test("that cannot be tags are left out", async () => {
    const body = Buffer.from(JSON.stringify({ tags: ["good", 7, "\u001b[31mbad", "a/b"] }));
    const transport = async () => ({ status: 200, headers: {}, body: streamOf(body) });
    expect(await all(remoteStore({ transport, registry: "registry.example", repository: "app" }).tags())).toEqual([
      "good",
    ]);
  });
});

describe("repositories", () => {
  function registryOf(behaviour: Behaviour = {}): { fake: FakeRegistry; list: (prefix?: string) => Promise<string[]> } {
    const fake = fakeRegistry(behaviour);
    for (const name of ["app/a", "app/b", "base", "other/a"])
      fake.repositories.set(name, { blobs: new Map(), manifests: new Map(), tags: new Map() });
    const registry = remoteRegistry({ transport: fake.transport, registry: "registry.example" });
    return { fake, list: (prefix) => all(registry.repositories(prefix)) };
  }

  test("are listed page by page, by prefix", async () => {
    const { list } = registryOf({ pageSize: 3 });
    expect(await list()).toEqual(["app/a", "app/b", "base", "other/a"]);
    expect(await list("app/")).toEqual(["app/a", "app/b"]);
  });

  test("end where a link leads back", async () => {
    expect(await registryOf({ pageSize: 3, link: "loop" }).list()).toHaveLength(3);
  });

  test.each([404, 405])("are UNSUPPORTED where the registry answers %i", async (status) => {
    const transport = async () => ({ status, headers: {}, body: streamOf() });
    const registry = remoteRegistry({ transport, registry: "registry.example" });
    await expectCode("UNSUPPORTED", () => all(registry.repositories()));
  });

  test("share what is learned of the host", async () => {
    const { fake } = registryOf();
    const registry = remoteRegistry({ transport: fake.transport, registry: "registry.example" });
    expect(registry.repository("base").name).toBe("registry.example/base");
    expect(() => registry.repository("../x")).toThrow("cannot be a repository");
  });
});

test.each([
  [undefined, undefined],
  ['</v2/a?n=1>; rel="next"', "/v2/a?n=1"],
  ["</v2/a?n=1>; rel=next", "/v2/a?n=1"],
  ['</p>; rel="prev", </n,1>; title="x"; rel="next"', "/n,1"],
  ['</n>; rel="last next"', "/n"],
  ["</n>; REL=NEXT, </m>; rel=next", "/n"],
  ['</n>; rel="nextish"', undefined],
  ["</n>", undefined],
  ["garbage", undefined],
])("the next page of Link %s is %s", (header, expected) => {
  expect(nextLink(header)).toBe(expected);
});

test("a registry below a path is spoken to there", async () => {
  const urls: string[] = [];
  const transport: Transport = async ({ url }) => {
    urls.push(url.href);
    return { status: 200, headers: {}, body: streamOf(Buffer.from('{"tags":["a"]}')) };
  };
  const origin = new URL("https://mirror.example/docker/");
  await all(remoteStore({ transport, origin, registry: "registry.example", repository: "app" }).tags());
  expect(urls).toEqual(["https://mirror.example/docker/v2/app/tags/list?n=1000"]);
});
