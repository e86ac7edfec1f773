// Builds every island, `islands/<kebab-case-name>/index.ts`, into static files that Django serves. A page names an island by
// that path ({% vite_asset "islands/app/index.ts" %}); the manifest tells Django which built files it became.
import { globSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { defineConfig } from "vite";

const root = import.meta.dirname;

/** Entries by island name: a folder whose name is not kebab-case is a mistake worth stopping for. */
function islands(): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const file of globSync("islands/*/index.ts", { cwd: root }).sort()) {
    const name = basename(dirname(file));
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
      throw new Error(`islands/${name}: the name of an island is a kebab-case noun, such as lesson-player`);
    }
    entries[name] = resolve(root, file);
  }
  return entries;
}

export default defineConfig({
  root,
  base: "./", // chunks and fonts find each other wherever STATIC_URL points
  publicDir: false,
  build: {
    outDir: "staffroom/ui/static/ui/built",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: fonts or scripts
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: islands(),
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "chunks/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
});
