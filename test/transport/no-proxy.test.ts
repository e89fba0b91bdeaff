import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseNoProxy } from "../../src/transport/no-proxy.ts";

test.each([
  ["", "registry.example", 443, false],
  ["*", "registry.example", 443, true],
  ["other.example,*", "192.0.2.1", 80, true],
  ["registry.example", "registry.example", 443, true],
  ["REGISTRY.Example", "registry.example", 443, true],
  ["example", "registry.example", 443, true],
  ["example", "myexample", 443, false],
  ["stry.example", "registry.example", 443, false],
  [".example", "registry.example", 443, true],
  [".registry.example", "registry.example", 443, false],
  ["*.registry.example", "registry.example", 443, false],
  ["*.registry.example", "eu.registry.example", 443, true],
  ["registry.example", "registry.example.", 443, true],
  ["registry.example:5000", "registry.example", 5000, true],
  ["registry.example:5000", "registry.example", 443, false],
  [".example:5000", "registry.example", 5000, true],
  ["a.example b.example\tc.example , d.example", "d.example", 443, true],
  ["a.example b.example", "b.example", 443, true],
  ["192.0.2.7", "192.0.2.7", 443, true],
  ["192.0.2.7", "192.0.2.70", 443, false],
  ["192.0.2.7:5000", "192.0.2.7", 443, false],
  ["192.0.2.7:5000", "192.0.2.7", 5000, true],
  ["10.0.0.0/8", "10.200.3.4", 443, true],
  ["10.0.0.0/8", "11.0.0.1", 443, false],
  ["10.0.0.0/8", "10.example", 443, false],
  ["10.0.0.0/33", "10.0.0.1", 443, false],
  ["10.0.0.0/x", "10.0.0.1", 443, false],
  ["0.0.0.0/0", "203.0.113.9", 443, true],
  ["10.1.2.3/32", "10.1.2.3", 443, true],
  ["2001:db8::/32", "[2001:db8:1::7]", 443, true],
  ["2001:db8::/32", "[2001:db9::7]", 443, false],
  ["2001:DB8:0::7", "[2001:db8::7]", 443, true],
  ["[2001:db8::7]", "[2001:db8::7]", 443, true],
  ["[2001:db8::7]:5000", "[2001:db8::7]", 5000, true],
  ["[2001:db8::7]:5000", "[2001:db8::7]", 443, false],
  ["[2001:db8::7", "[2001:db8::7]", 443, false],
  ["::1", "[::1]", 443, true],
  ["http://registry.example", "registry.example", 443, false],
  [":443", "registry.example", 443, false],
  ["/", "registry.example", 443, false],
  ["(.*)", "registry.example", 443, false],
])("NO_PROXY=%j and %s, port %i: %s", (text, host, port, expected) => {
  expect(parseNoProxy(text)(host, port)).toBe(expected);
});

const ipv4 = fc.nat(0xffff_ffff);
const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");

test("a range has the addresses that share its first bits, and no others", () => {
  fc.assert(
    fc.property(ipv4, ipv4, fc.nat(32), (network, address, bits) => {
      const mask = bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
      const inside = ((network & mask) | (address & ~mask)) >>> 0;
      const fits = parseNoProxy(`${dotted(network)}/${bits}`);
      expect(fits(dotted(inside), 443)).toBe(true);
      expect(fits(dotted(address), 443)).toBe((network & mask) === (address & mask));
    }),
  );
});

test("nothing that is written there breaks it", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(65_535), (text, port) => {
      expect(typeof parseNoProxy(text)("registry.example", port)).toBe("boolean");
      expect(typeof parseNoProxy(text)("[::1]", port)).toBe("boolean");
    }),
  );
});
