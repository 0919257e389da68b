import { defineConfig } from 'vite'

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    // The wheel takes it from here; `caulk serve` serves it, a one-file report carries it.
    outDir: '../src/caulk/views/page',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One script and one style: a report that is one file has nowhere to load a second from.
    cssCodeSplit: false,
    rolldownOptions: { output: { codeSplitting: false } },
  },
})
