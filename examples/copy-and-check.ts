// Copies an image into a layout, another into a registry, and checks that all it needs has arrived.
// node examples/copy-and-check.ts registry.example/app:1.4 other.example/app
import { check, createClient } from "gantry";

const [from, to] = process.argv.slice(2);
if (!from || !to) throw new Error("usage: copy-and-check.ts FROM TO");

const client = createClient({
  onEvent: (event) => {
    if (event.type === "blob") console.error(`${event.how}: ${event.digest} at ${event.to}`);
  },
});
try {
  const { images, failures, bytes } = await client.copy(from, to);
  for (const { error } of failures) throw error;
  const opened = client.open(to);
  const { findings } = await check(opened.store, images[0]!.digest, { deep: true });
  console.log(JSON.stringify({ digest: images[0]!.digest, bytes, findings }));
} finally {
  await client.close();
}
