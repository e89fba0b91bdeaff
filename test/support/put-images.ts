import { layoutStore } from "../../src/store/layout.ts";
import { image, putImage } from "./images.ts";

// A process of its own that puts images into a layout: PATH, a prefix of their tags, how many, the size of their layers.
const [path = "", prefix = "", count = "1", layerSize = "1000"] = process.argv.slice(2);
const store = layoutStore(path);
process.stdout.write("started\n");
for (let i = 0; i < Number(count); i++) {
  await putImage(store, image(`${prefix}${i}`, { layerSize: Number(layerSize) }), `${prefix}${i}`);
}
await store.flush();
await store.close();
