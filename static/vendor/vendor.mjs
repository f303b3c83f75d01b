// Brings the pinned packages into this folder: `node static/vendor/vendor.mjs`. Bare imports become relative ones,
// since an import map would have to be inline and the content security policy forbids that. MANIFEST.json records
// package, version, licence, and the SHA-256 of each file as published and as kept.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, writeFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HERE = import.meta.dirname;
const PACKAGES = [
  { spec: "preact@11.2.0", licence: "MIT", files: { "dist/preact.mjs": "preact.mjs", "hooks/dist/hooks.mjs": "hooks.mjs" } },
  { spec: "htm@3.1.1", licence: "Apache-2.0", files: { "dist/htm.mjs": "htm.mjs" } },
  { spec: "@preact/signals-core@1.14.5", licence: "MIT", files: { "dist/signals-core.mjs": "signals-core.mjs" } },
  { spec: "@preact/signals@2.11.4", licence: "MIT", files: { "dist/signals.mjs": "signals.mjs" } },
  { spec: "echarts@6.1.0", licence: "Apache-2.0", files: { "dist/echarts.esm.min.mjs": "echarts.mjs" } },
];
const IMPORTS = {
  "preact/hooks": "./hooks.mjs",
  "preact": "./preact.mjs",
  "@preact/signals-core": "./signals-core.mjs",
};
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

function relative(source) {
  let text = source.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
  for (const [bare, file] of Object.entries(IMPORTS)) {
    text = text.replaceAll(`from"${bare}"`, `from"${file}"`).replaceAll(`import"${bare}"`, `import"${file}"`);
  }
  return text;
}

const manifest = [];
for (const { spec, licence, files } of PACKAGES) {
  const folder = mkdtempSync(join(tmpdir(), "vendor-"));
  const archive = execFileSync("npm", ["pack", "--silent", spec], { cwd: folder, encoding: "utf8" }).trim().split("\n").pop();
  execFileSync("tar", ["xzf", archive], { cwd: folder });
  const name = spec.replace(/@[^@]*$/, "").replace("@", "").replace("/", "-");
  try {
    writeFileSync(join(HERE, `LICENSE.${name}`), readFileSync(join(folder, "package", "LICENSE")));
  } catch { throw new Error(`${spec} brings no licence text`); }
  const notice = join(folder, "package", "NOTICE");
  if (existsSync(notice)) writeFileSync(join(HERE, `NOTICE.${name}`), readFileSync(notice));
  for (const [from, to] of Object.entries(files)) {
    const published = readFileSync(join(folder, "package", from), "utf8");
    const kept = relative(published);
    writeFileSync(join(HERE, to), kept);
    manifest.push({ package: spec, licence, file: to, published_sha256: sha256(published), kept_sha256: sha256(kept) });
  }
  rmSync(folder, { recursive: true });
}
writeFileSync(join(HERE, "MANIFEST.json"), JSON.stringify(manifest, null, 2) + "\n");
