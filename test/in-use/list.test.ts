import { expect, test } from "vitest";
import { parseUsed } from "../../src/in-use/list.ts";

const a = `sha256:${"a".repeat(64)}`;
const references = (text: string): readonly string[] => parseUsed(text, "used").used.map(({ reference }) => reference);

test("a reference a line, in full; remarks and empty lines are none", () => {
  expect(
    parseUsed("# mine\nregistry.example/app:1.0\r\n\n alpine  # a base\nregistry.example/app:1.0\n", "used").used,
  ).toEqual([
    { reference: "registry.example/app:1.0", by: "used" },
    { reference: "docker.io/library/alpine", by: "used" },
  ]);
});

test.each([
  [`docker-pullable://registry.example/app@${a}`, `registry.example/app@${a}`],
  [`docker.io/library/app@${a}`, `docker.io/library/app@${a}`],
  [`registry.example/app:1.0@${a}`, `registry.example/app:1.0@${a}`],
  [`docker://${a}`, a],
  [a, a],
  ["localhost:5000/app", "localhost:5000/app"],
  ["library/nginx", "docker.io/library/nginx"],
  ["pod/web-1:1.0", "docker.io/pod/web-1:1.0"],
  ["docker.io/pod/web-1", "docker.io/pod/web-1"],
  ["jobs.example/app", "jobs.example/app"],
  ["deployment.apps.example/app", "deployment.apps.example/app"],
  ["podman/stable", "docker.io/podman/stable"],
  ["deadbeef", "docker.io/library/deadbeef"],
  ["docker.io/library/deadbeefcafe", "docker.io/library/deadbeefcafe"],
])("%s is %s", (text, reference) => {
  expect(references(text)).toEqual([reference]);
});

test("a JSON list of references, and of objects", () => {
  const pod = { kind: "Pod", metadata: { namespace: "shop", name: "web" }, spec: { containers: [{ image: "app:2" }] } };
  expect(parseUsed(JSON.stringify(["registry.example/app:1", pod]), "used.json").used).toEqual([
    { reference: "registry.example/app:1", by: "used.json" },
    { reference: "docker.io/library/app:2", by: "used.json: pod shop/web" },
  ]);
});

test("what kubectl wrote: what is to run, what runs, and images that are mounted", () => {
  const list = {
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        kind: "Pod",
        metadata: { namespace: "shop", name: "web", managedFields: [{ fieldsV1: { "f:image": {} } }] },
        spec: {
          initContainers: [{ image: "registry.example/init:1" }],
          containers: [{ image: "registry.example/app:1" }, { image: "" }],
          ephemeralContainers: [{ image: "registry.example/debug:1" }],
          volumes: [{ image: { reference: "registry.example/data:1" } }],
        },
        status: {
          containerStatuses: [
            { image: a, imageID: `registry.example/app@${a}` },
            { image: "registry.example/late:1", imageID: "" },
          ],
        },
      },
    ],
  };
  expect(references(JSON.stringify(list))).toEqual([
    "registry.example/init:1",
    "registry.example/app:1",
    "registry.example/debug:1",
    "registry.example/data:1",
    a,
    `registry.example/app@${a}`,
    "registry.example/late:1",
  ]);
});

test("manifests in YAML, one after the other", () => {
  const text = `# rendered
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{image: registry.example/web:1}]}}}
---
# nothing

---
kind: CronJob
metadata: {name: night, namespace: shop}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: registry.example/night:1}]}}}}}
`;
  expect(parseUsed(text, "all.yaml").used).toEqual([
    { reference: "registry.example/web:1", by: "all.yaml: deployment web" },
    { reference: "registry.example/night:1", by: "all.yaml: cronjob shop/night" },
  ]);
});

test.each([
  ["a list", `{"apiVersion": "v1", "kind": "List", "items": []}`],
  ["a list in YAML", "apiVersion: v1\nitems: []\nkind: List\n"],
  ["a list that Go wrote", `{"kind": "PodList", "items": null}`],
  ["an object that runs nothing", "kind: Service\nmetadata: {name: web}\n"],
])("%s that names no image is told", (_, text) => {
  expect(parseUsed(text, "used")).toEqual({ used: [], notes: ["used names no image"] });
});

test("the items of a list need no kind, and those of what helm wrote no image", () => {
  const text = `{"kind": "PodList", "items": [{"spec": {"containers": [{"image": "registry.example/app:1"}]}}]}`;
  expect(parseUsed(text, "used")).toMatchObject({ used: [{ reference: "registry.example/app:1" }], notes: [] });
  const definition = "kind: CustomResourceDefinition\nspec: {properties: {image: {type: string}}}\n";
  const volume = "---\nkind: Pod\nspec: {volumes: [{image: {pullPolicy: Always}}], containers: [{image: app:1}]}\n";
  expect(references(definition + volume)).toEqual(["docker.io/library/app:1"]);
});

test.each([
  ["", /^used: there is nothing in it/],
  [" \n", /^used: there is nothing in it/],
  ["# none\n", /^used: names no image/],
  ["---\n# none\n", /^used: names no image/],
  ["[]", /^used:1:1: names no image/],
  ["{}", /^used:1:1: is no object of Kubernetes: it has no kind/],
  ['{"a":{"image":7}}', /^used:1:1: is no object of Kubernetes: it has no kind/],
  ['{"items": []}', /^used:1:1: is no object of Kubernetes: it has no kind/],
  [
    '{"kind":"Status","status":"Failure","code":403}',
    /^used:1:1: is no object of Kubernetes, but an answer of its API/,
  ],
  [
    '[{"Image":"sha256:1","Config":{"Image":"registry.example/app:a"}}]',
    /^used:1:2: \[0\]: is no object of Kubernetes/,
  ],
  ['{"images":[{"repoTags":["registry.example/app:a"]}]}', /^used:1:1: is no object of Kubernetes: it has no kind/],
  ['{"Image":"registry.example/app:a"}', /^used:1:1: is no object of Kubernetes: it has no kind/],
  ["kind: Pod\n---\nmetadata: {}\n", /^used:3:1: is no object of Kubernetes: it has no kind/],
  ['{"kind":"List"}', /^used:1:1: items: is no list/],
  [
    '{"kind":"PodList","metadata":{"continue":"abc"},"items":[]}',
    /^used:1:42: metadata\.continue: says that the list goes on, and the rest is not here/,
  ],
  ['{"kind":"Table","rows":[{"object":{}}]}', /^used:1:1: is a Table, which has no images of what it names/],
  ['{"kind":"PartialObjectMetadataList","items":[]}', /^used:1:1: is a PartialObjectMetadataList, which has no/],
  ['{"kind":"List","items":[{"kind":"PartialObjectMetadata"}]}', /^used:1:25: items\[0\]: is a PartialObjectMetadata,/],
  ['{"kind":"List","items":[7]}', /^used:1:25: items\[0\]: is no object of Kubernetes/],
  ['{"kind":"List","items":[{"kind":"Status"}]}', /^used:1:25: items\[0\]: is no object of Kubernetes, but/],
  ['{"kind":"Pod","spec":{"containers":[{"image":7}]}}', /^used: pod: spec\.containers\[0\]\.image: is no text/],
  ['{"kind":"Pod","spec":{"containers":[{"image":["a"]}]}}', /^used: pod: spec\.containers\[0\]\.image: is no text/],
  [
    '{"kind":"Pod","spec":{"containers":[{"image":{"a":"b"}}]}}',
    /^used: pod: spec\.containers\[0\]\.image: is no text/,
  ],
  ["registry.example/app:1\nregistry.example/UPPER:1\n", /^used:2: invalid reference "registry.example\/UPPER:1"/],
  ['["app:1", 2]', /^used:1:11: \[1\]: is neither a reference nor an object/],
  ['["app:1", "no way"]', /^used:1:11: \[1\]: invalid reference "no way"/],
  ["app:1\nnull\n", /^used:2: "null" is what jq writes where there is nothing, not a reference/],
  ["[", /^used:1:2: this is neither JSON nor YAML/],
  ["kind: Pod\n---\nkind: [\n", /^used:4:1: this is neither JSON nor YAML/],
  ['{"kind": "Pod", "spec": {"containers": [{"image": "a b"}]}}', /^used: pod: invalid reference "a b": white space/],
])("%j cannot be read, and so nothing is known", (text, message) => {
  expect(() => parseUsed(text, "used")).toThrow(
    expect.objectContaining({ code: "INVALID", message: expect.stringMatching(message) }),
  );
});

test.each([
  "pod/web-1",
  "pods/web-1",
  "deployment/web",
  "deployment.apps/web",
  "deployments.extensions/web",
  "replicaset.apps/web-7d4b9",
  "statefulset.apps/db",
  "daemonset.apps/agent",
  "job.batch/night-28",
  "cronjob.batch/night",
  "replicationcontroller/old.one",
])("%s is what kubectl calls an object, not an image", (name) => {
  for (const text of [`registry.example/app:1\n${name}\n`, `["registry.example/app:1",\n"${name}"]`]) {
    expect(() => parseUsed(text, "used")).toThrow(
      expect.objectContaining({
        code: "INVALID",
        message: expect.stringMatching(/^used:2\S* (?:\[1\]: )?"[^"]+" is an object of Kubernetes, not an image$/),
        hint: expect.stringContaining("kubectl get pods --all-namespaces -o json"),
      }),
    );
  }
});

test.each(["3f4e9a1b2c3d", "3f4e9a1b2c3d4", "123456789012"])("%s is an ID, not an image", (id) => {
  expect(() => parseUsed(`# docker ps -q\n${id}\n`, "used")).toThrow(
    expect.objectContaining({
      code: "INVALID",
      message: `used:2: "${id}" is the ID of a container or an image, not a reference`,
      hint: expect.stringContaining("docker ps --format"),
    }),
  );
});
