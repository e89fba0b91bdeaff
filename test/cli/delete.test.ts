import { describe, expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import type { Access } from "../../src/server/index.ts";
import { artifact, image, indexOf, putImage, twoPlatforms } from "../support/images.ts";
import { testService, type TestService, type TestServiceOptions } from "./service-scene.ts";
import { gantry, must, testRegistry, type TestRegistry } from "./support.ts";

const app = image("app");
const { digest } = app.manifest.descriptor;
const sbom = artifact("sbom", app.manifest.descriptor);
const signature = artifact("signature", sbom.manifest.descriptor);

async function withTags(): Promise<TestRegistry> {
  const registry = await testRegistry();
  for (const tag of ["1", "1.0", "latest"]) await putImage(registry.store("app"), app, tag);
  return registry;
}

describe("by tag", () => {
  test("takes that tag alone, and names those that stay", async () => {
    const { host } = await withTags();
    expect(await must("delete", `${host}/app:1.0`)).toBe(
      `deleted tag ${host}/app:1.0 (${digest})\nthe image stays, as 1, latest\n`,
    );
    expect(await must("ls", `${host}/app`)).toBe("1\nlatest\n");
    expect(await must("rm", `${host}/app:1`)).toContain("the image stays, as latest");
    expect(await must("rm", `${host}/app:latest`)).toContain("the image stays, without a tag");
    expect(await must("digest", `${host}/app@${digest}`)).toBe(`${digest}\n`);
  });

  test("dry, sends no request that writes", async () => {
    const { host } = await withTags();
    expect(await gantry(["delete", "--dry-run", "--detailed-exitcode", `${host}/app:1`])).toMatchObject({
      code: 7,
      stdout: expect.stringContaining("would delete tag"),
    });
    expect(await must("ls", `${host}/app`)).toBe("1\n1.0\nlatest\n");
  });

  test("with a digest beside it is refused: it could mean the tag alone, or all tags of the image", async () => {
    const { host } = await withTags();
    const ended = await gantry(["delete", "--yes", `${host}/app:1.0@${digest}`]);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining("names a tag and a digest") });
    expect(await must("ls", `${host}/app`)).toBe("1\n1.0\nlatest\n");
  });

  test("of what is not there is an error", async () => {
    const { host } = await withTags();
    expect((await gantry(["delete", `${host}/app:2`])).code).toBe(3);
    expect((await gantry(["delete", `${host}/app`])).code).toBe(2);
  });

  test("where a registry cannot, names what a digest would take along, and deletes nothing", async () => {
    const refusing: Access = {
      open: true,
      authorize: ({ method, target }) =>
        method === "DELETE" && !target.includes("sha256:")
          ? {
              allow: false,
              reply: { status: 405, headers: {}, body: Buffer.from('{"errors":[{"code":"UNSUPPORTED"}]}') },
            }
          : { allow: true },
    };
    const { host, store } = await testRegistry({ access: refusing });
    for (const tag of ["1", "latest"]) await putImage(store("app"), app, tag);
    const { code, stderr } = await gantry(["delete", `${host}/app:1`]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `nothing was deleted; there is: gantry delete ${host}/app@${digest}, which would delete the tag latest too`,
    );
    expect(await must("ls", `${host}/app`)).toBe("1\nlatest\n");
  });
});

describe("by digest", () => {
  test("names all that goes, and does nothing without a yes", async () => {
    const { host, store } = await withTags();
    for (const one of [sbom, signature]) await putImage(store("app"), one);
    const { code, stderr, stdout } = await gantry(["delete", `${host}/app@${digest}`]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n").slice(0, 4)).toEqual([
      `would delete ${host}/app@${signature.manifest.descriptor.digest} (application/vnd.example.thing)`,
      `would delete ${host}/app@${sbom.manifest.descriptor.digest} (application/vnd.example.thing)`,
      `would delete ${host}/app@${digest} with its tags 1, 1.0, latest`,
      `error: nothing was deleted: ${host}/app@${digest} goes with all that is named above`,
    ]);
    expect(await must("ls", `${host}/app`)).toBe("1\n1.0\nlatest\n");
  });

  test("with --yes takes the manifest, its tags and what is attached", async () => {
    const { host, store } = await withTags();
    await putImage(store("app"), image("other"), "other");
    for (const one of [sbom, signature]) await putImage(store("app"), one);
    expect((await must("delete", "--yes", `${host}/app@${digest}`)).split("\n")).toHaveLength(4);
    expect(await must("ls", `${host}/app`)).toBe("other\n");
    for (const one of [app, sbom, signature])
      expect((await gantry(["digest", `${host}/app@${one.manifest.descriptor.digest}`])).code).toBe(3);
  });

  test("does not take what the index of another tag needs, unless told to", async () => {
    const { host, store } = await withTags();
    const index = twoPlatforms("needed");
    await putImage(store("app"), indexOf([index]), "outer");
    await putImage(store("app"), index.children[0]!, "amd64");
    const child = `${host}/app@${index.children[0]!.manifest.descriptor.digest}`;
    const { code, stderr } = await gantry(["delete", "--yes", child]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${child} is a part of ${host}/app:outer`);
    expect((await gantry(["digest", child])).code).toBe(0);
    expect(await must("delete", "--yes", "--break-indexes", child)).toContain("with its tag amd64");
  });

  test("takes what a registry's own list of referrers names", async () => {
    const { host, store } = await withTags();
    await putImage(store("app"), indexOf([sbom]), `sha256-${digest.slice(7)}`);
    expect(await must("delete", "--yes", `${host}/app@${digest}`)).toContain(sbom.manifest.descriptor.digest);
  });

  test("names the other tags of what is attached, too", async () => {
    const { host, store } = await withTags();
    await putImage(store("app"), sbom, `sha256-${digest.slice(7)}.sbom`);
    await putImage(store("app"), sbom, "sbom-1");
    const { stderr } = await gantry(["delete", `${host}/app@${digest}`]);
    expect(stderr).toContain(`with its tags sbom-1, sha256-${digest.slice(7)}.sbom`);
  });

  test("as JSON, the plan is on stdout and the refusal on stderr", async () => {
    const { host } = await withTags();
    const { code, stdout, stderr } = await gantry(["delete", `${host}/app@${digest}`, "--format", "json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      done: false,
      steps: [{ kind: "manifest", tags: ["1", "1.0", "latest"] }],
    });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "INVALID", hint: "say --yes to delete it" } });
  });
});

describe("at a service", () => {
  /** A registry that does not delete by the distribution API, unless `open` says so. */
  function locked(): { readonly access: Access; open: boolean } {
    const state = { open: false };
    const reply = { status: 405, headers: {}, body: Buffer.from('{"errors":[{"code":"UNSUPPORTED"}]}') };
    return Object.assign(state, {
      access: {
        open: true,
        authorize: ({ method }: { readonly method: string }) =>
          method === "DELETE" && !state.open ? { allow: false as const, reply } : { allow: true as const },
      },
    });
  }
  async function serviceWithTags(options: TestServiceOptions = {}): Promise<TestService> {
    const lock = locked();
    const opened = async <T>(work: () => Promise<T>): Promise<T> => {
      lock.open = true;
      return work().finally(() => (lock.open = false));
    };
    const service = await testService({
      access: lock.access,
      calls: (own) => ({
        deleteTag: (...words) => opened(() => own.deleteTag(...words)),
        async *deleteManifests(...words) {
          yield* await opened(() => Array.fromAsync(own.deleteManifests(...words)));
        },
      }),
      ...options,
    });
    for (const tag of ["1", "latest"]) await putImage(service.store("app"), app, tag);
    return service;
  }

  test.each([true, false])(
    "takes one tag by its own API, whether the service is known by its host (%s) or not",
    async (known) => {
      const { host, log } = await serviceWithTags({ known });
      expect(await must("delete", `${host}/app:1`)).toContain("the image stays, as latest");
      expect(log).toEqual(["deleteTag app 1"]);
      expect(await must("ls", `${host}/app`)).toBe("latest\n");
    },
  );

  test("that cannot take one tag alone says what there is, and deletes nothing", async () => {
    const { host } = await serviceWithTags({ impossible: ["deleteTag"] });
    const { code, stderr } = await gantry(["delete", `${host}/app:1`]);
    expect(code).toBe(1);
    expect(stderr).toContain("Test Service cannot delete one tag");
    expect(stderr).toContain(`gantry delete ${host}/app@${digest}, which would delete the tag latest too`);
    expect(await must("ls", `${host}/app`)).toBe("1\nlatest\n");
  });

  test("takes digests in batches: what is attached, and then the image", async () => {
    const { host, store, log } = await serviceWithTags();
    for (const one of [sbom, signature]) await putImage(store("app"), one);
    await must("delete", "--yes", `${host}/app@${digest}`);
    expect(log).toEqual(["deleteManifests app", "deleteManifests app"]);
    for (const one of [app, sbom, signature])
      expect((await gantry(["digest", `${host}/app@${one.manifest.descriptor.digest}`])).code).toBe(3);
  });

  test("where something that is attached stays, leaves the image, says what went, and ends with 6", async () => {
    const { host, store } = await serviceWithTags({
      calls: () => ({
        async *deleteManifests(_, digests) {
          for (const one of digests) {
            yield one === sbom.manifest.descriptor.digest
              ? { digest: one, outcome: "failed", error: new RegistryError("DENIED", "it is locked") }
              : { digest: one, outcome: "deleted" };
          }
        },
      }),
    });
    for (const one of [sbom, signature]) await putImage(store("app"), one);
    const { code, stdout, stderr } = await gantry(["delete", "--yes", `${host}/app@${digest}`]);
    expect(code).toBe(6);
    expect(stdout).toBe(
      `deleted ${host}/app@${signature.manifest.descriptor.digest} (application/vnd.example.thing)\n`,
    );
    expect(stderr).toContain(
      `1 manifest could not be deleted: ${host}/app@${sbom.manifest.descriptor.digest}: it is locked`,
    );
    expect(await must("ls", `${host}/app`)).toBe("1\nlatest\n");
  });
});
