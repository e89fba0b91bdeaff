import { beforeEach, expect, onTestFinished, test } from "vitest";
import { formatSize } from "../../src/text/text.ts";
import { testRegistry, type TestRegistry } from "../cli/support.ts";
import { testService } from "../cli/service-scene.ts";
import { answer, listen } from "../transport/listen.ts";
import { artifact, image, putImage, twoPlatforms } from "../support/images.ts";
import { syncScene, type Scene } from "./scene.ts";

let source: TestRegistry;
let mirror: TestRegistry;
let scene: Scene;
beforeEach(async () => {
  [source, mirror] = [await testRegistry(), await testRegistry()];
  scene = syncScene();
  for (const tag of ["1.0", "1.1", "1.2"]) await putImage(source.store("app"), image(tag), tag);
});

const file = (budget: object, more: object = {}): object => ({
  budget,
  sync: [{ name: "app", from: `${source.host}/app`, to: `${mirror.host}/app`, ...more }],
});

/** What an image weighs: its manifest, its config and its layers. */
const weightOf = ({ manifest: { descriptor, blobs } }: ReturnType<typeof image>): number =>
  [descriptor, ...blobs].reduce((sum, { size }) => sum + size, 0);

test("a run copies whole images as far as its budget goes, the next one the rest, and each says what is left", async () => {
  const [first, second] = ["1.0", "1.1"].map((tag) => weightOf(image(tag))) as [number, number];
  const mapping = file({ bytes: String(first + second + 10) });
  const { plan, applied } = await scene.sync(mapping);
  expect(plan.steps.map(({ at, bytes }) => [at, bytes])).toEqual([
    [`${mirror.host}/app:1.0`, first],
    [`${mirror.host}/app:1.1`, second],
  ]);
  const why = `the budget of the run is ${formatSize(first + second + 10)}`;
  expect(plan.kept.map(({ at, why: reason }) => [at, reason])).toEqual([
    [`${mirror.host}/app:1.2`, `left for the next run: ${why}`],
  ]);
  expect(plan.notes).toEqual([{ level: "warning", message: `${why}: 1 copy is left for the next run` }]);
  expect(applied.complete).toBe(true);
  const again = await scene.sync(mapping);
  expect([again.plan.steps.map(({ at }) => at), again.plan.notes]).toEqual([[`${mirror.host}/app:1.2`], []]);
  expect((await scene.plan(mapping)).steps).toEqual([]);
});

test("an index weighs with its images, and with what is attached to them", async () => {
  const index = twoPlatforms("two");
  await putImage(source.store("multi"), index, "1.0");
  const signature = artifact("signature", index.manifest.descriptor);
  await putImage(source.store("multi"), signature);
  const mapping = (more: object) => file({ bytes: "1MB" }, { from: `${source.host}/multi`, ...more });
  const bytesOf = async (more: object = {}) => (await scene.plan(mapping(more))).steps.map(({ bytes }) => bytes);
  const [all] = await bytesOf();
  const [bare] = await bytesOf({ referrers: false });
  const [one] = await bytesOf({ referrers: false, platforms: ["linux/amd64"] });
  expect(all! - bare!).toBe(weightOf(signature));
  expect(one!).toBeGreaterThan(0);
  expect(one!).toBeLessThan(bare! / 1.5);
});

test("what is not to be copied is not weighed, and what lies behind the end of the budget neither", async () => {
  for (let i = 0; i < 40; i++)
    await putImage(source.store("many"), image(`many-${i}`), `v${String(i).padStart(2, "0")}`);
  scene.requests();
  const plan = await scene.plan(file({ bytes: "8kB" }, { from: `${source.host}/many` }));
  const weighed = scene.requests().filter((line) => line.startsWith("GET") && line.includes("/many/manifests/sha256:"));
  expect(weighed.length).toBe(16);
  expect([plan.steps.length, plan.kept.length]).toEqual([2, 38]);
});

test("an image that fits no budget is refused", async () => {
  const { plan } = await scene.sync(file({ bytes: "100" }, { tags: [{ include: ["1.0"] }] }));
  const size = weightOf(image("1.0"));
  expect([plan.steps, plan.notes]).toEqual([
    [],
    [
      {
        level: "refused",
        at: `${mirror.host}/app:1.0`,
        rule: "app",
        message: `app: it takes ${formatSize(size)}, and the budget of the run is 100 B`,
      },
    ],
  ]);
});

test("a budget for a registry alone, and of pulls", async () => {
  const pulls = await scene.plan(file({ registries: { [source.host]: { pulls: 2 } } }));
  expect(pulls.steps.map(({ at }) => at)).toEqual([`${mirror.host}/app:1.0`, `${mirror.host}/app:1.1`]);
  expect(pulls.notes.map(({ message }) => message)).toEqual([
    `the budget of ${source.host} is 2 pulls: 1 copy is left for the next run`,
  ]);
  const elsewhere = await scene.plan(file({ pulls: 1, registries: { "other.example": { bytes: "1", pulls: 1 } } }));
  expect(elsewhere.steps.length).toBe(3);
});

test("nothing is pulled for a plan that a budget of pulls does not count: not beforehand, and not to weigh more than it pays for", async () => {
  source = await testService({ impossible: ["images"] });
  for (let i = 0; i < 20; i++) await putImage(source.store("many"), image(`many-${i}`), `v${i}`);
  const pulled = () => scene.requests().filter((line) => /^GET .*\/many\/manifests\//.test(line)).length;
  const mapping = (budget: object) => file(budget, { from: `${source.host}/many` });
  const registries = { [source.host]: { pulls: 4 } };
  pulled();
  expect((await scene.plan(mapping({ registries }), { atOnce: true })).steps.length).toBe(4);
  expect(pulled()).toBe(0);
  expect((await scene.sync(mapping({ bytes: "1MB", registries }), { atOnce: true })).plan.steps.length).toBe(2);
  expect(pulled()).toBe(4);
});

test("pulls are left where the registry tells how many there are, though its list says what tags name", async () => {
  const limits = { "ratelimit-limit": "20;w=21600", "ratelimit-remaining": "4;w=21600" };
  const limited = await listen(async ({ method, url, headers: { accept = "" } }, response) => {
    const answered = await fetch(`http://${source.host}${url}`, { method: method!, headers: { accept } });
    const more = url!.includes("/manifests/") ? limits : {};
    answer(response, answered.status, await answered.text(), { ...Object.fromEntries(answered.headers), ...more });
  });
  onTestFinished(() => limited[Symbol.asyncDispose]());
  const mapping = { name: "app", from: `${limited.url.host}/app`, to: `${mirror.host}/app`, quotaReserve: 2 };
  const plan = await scene.plan(mapping);
  expect(plan.steps.map(({ at }) => at)).toEqual([`${mirror.host}/app:1.0`, `${mirror.host}/app:1.1`]);
  expect(plan.notes.map(({ message }) => message)).toEqual([
    `app: left for later: of the pulls that ${limited.url.host} allows, 2 are kept`,
  ]);
});
