// A middleware of your own around a transport: here, one that counts requests by method.
import { compose, type Middleware } from "gantry";
import { createRegistry, memoryStorage } from "gantry/server";
import { remoteStore } from "gantry/store";

const counts = new Map<string, number>();
const count: Middleware = (next) => (request) => {
  counts.set(request.method, (counts.get(request.method) ?? 0) + 1);
  return next(request);
};

const registry = createRegistry({ storage: memoryStorage() });
const store = remoteStore({
  transport: compose(registry.transport, count),
  registry: "registry.test",
  repository: "app",
});
console.log((await store.head("v1")) ?? "nothing there");
console.log(Object.fromEntries(counts));
await registry.close();
