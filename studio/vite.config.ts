import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { land } from './land';

/* The licences of what the page contains, which their texts ask to be passed on. */
function licences(): Plugin {
  const parts = [
    ['Preact', 'node_modules/preact/LICENSE'],
    ['Source Serif 4', 'node_modules/@fontsource/source-serif-4/LICENSE'],
    ['World Atlas, made with Natural Earth', 'node_modules/world-atlas/LICENSE'],
  ] as const;
  return {
    name: 'licences',
    apply: 'build',
    generateBundle() {
      const source = parts.map(([name, path]) => `${name}\n\n${readFileSync(path, 'utf8').trim()}\n`).join('\n\n');
      this.emitFile({ type: 'asset', fileName: 'assets/licences.txt', source });
    },
  };
}

/* Everything lies in files of its own: the page's Content-Security-Policy allows nothing inline, neither
 * scripts nor data: addresses. */
export default defineConfig({
  base: './',
  plugins: [land(), licences()],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    outDir: '../build/studio/dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: true,
    sourcemap: false,
  },
});
