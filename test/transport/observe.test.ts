import { expect, test } from "vitest";
import { RegistryError } from "../../src/oci/error.ts";
import { collect, contentOf, streamOf } from "../../src/oci/stream.ts";
import { observe } from "../../src/transport/observe.ts";
import { redactUrl } from "../../src/transport/redact.ts";
import { discard, type Transport } from "../../src/transport/transport.ts";
import { warnings } from "../../src/transport/warnings.ts";
import { ask, recorder, respond, scripted } from "./support.ts";

const url = "https://storage.example/data?X-Amz-Signature=abc&digest=sha256:ab";

test("a request is told of when its body is over, with what was sent and received", async () => {
  const { events, onEvent } = recorder();
  let now = 0;
  const clock = { now: () => (now += 5), random: () => 0, sleep: () => Promise.resolve() };
  const net: Transport = async (request) => {
    await collect(await request.body!.open(), 100);
    return { status: 201, headers: {}, body: streamOf(Buffer.from("ab"), Buffer.from("c")) };
  };
  const response = await observe({ onEvent, clock })(net)(
    ask(url, "PUT", { body: { open: contentOf(Buffer.from("hello")) } }),
  );
  expect(events).toEqual([]);
  await collect(response.body, 10);
  expect(events).toEqual([
    {
      type: "request",
      method: "PUT",
      url: "https://storage.example/data?X-Amz-Signature=...&digest=sha256:ab",
      host: "storage.example",
      status: 201,
      answerMs: 5,
      ms: 10,
      sent: 5,
      received: 3,
    },
  ]);
});

test("also when it has no body, when it is given up, and when it fails", async () => {
  const { events, onEvent } = recorder();
  const broken = async function* (): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from("x");
    throw new RegistryError("TIMEOUT", "slow");
  };
  const net = observe({ onEvent })(
    scripted(respond(204), respond(200, {}, "long"), new RegistryError("NETWORK", "refused"), {
      status: 200,
      headers: {},
      body: broken(),
    }),
  );
  await net(ask(url, "HEAD"));
  await discard(await net(ask(url)));
  await expect(net(ask(url))).rejects.toThrow("refused");
  await expect(collect((await net(ask(url))).body, 10)).rejects.toThrow("slow");
  expect(events).toMatchObject([
    { status: 204 },
    { status: 200, received: 0 },
    { error: "NETWORK" },
    { status: 200, received: 1, error: "TIMEOUT" },
  ]);
});

test("what a registry warns of is said once for each host", async () => {
  const { events, onEvent } = recorder();
  const warning = '299 - "old API", 299 - "say \\"new\\""';
  const net = observe({ onEvent })(async () => respond(204, { warning }));
  for (const host of ["a.example", "a.example", "b.example"]) await net(ask(`https://${host}/`));
  expect(events.filter((event) => event.type === "warning")).toEqual(
    ["a.example", "b.example"].flatMap((host) =>
      ["old API", 'say "new"'].map((text) => ({ type: "warning", host, text })),
    ),
  );
});

test.each([
  [undefined, []],
  ['299 - "fine"', ["fine"]],
  ['299 - "a\u001b[31mred"', ["a [31mred"]],
  ['199 - "not for users"', []],
  ["299 - unquoted", []],
  ['299 - ""', []],
])("of a Warning header %j users read %j", (header, texts) => {
  expect(warnings(header)).toEqual(texts);
});

test.each([
  ["https://ann:pw@host.example:5000/v2/?n=10&last=a", "https://host.example:5000/v2/?n=10&last=a"],
  ["https://host.example/x?_state=abc&digest=sha256:ab", "https://host.example/x?_state=...&digest=sha256:ab"],
  ["https://host.example/x?token=&sig=s3cret#frag", "https://host.example/x?token=...&sig=..."],
  [
    "https://host.example/token?service=s&scope=repository:a:pull",
    "https://host.example/token?service=s&scope=repository:a:pull",
  ],
])("people read %s as %s", (text, shown) => {
  expect(redactUrl(new URL(text))).toBe(shown);
});
