// Constant parts of the page. The colours of both themes live in the style
// sheet; SVG uses them directly and the script hands them to Vega.
#include "kexue/report/page_style.h"

namespace kexue::report {

const char* page_style() {
  return R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --text: #1b1f24; --quiet: #59636e;
  --line: #d9dee4; --grid: #e8ebef; --note: #fff4d6; --note-text: #6b4a00;
  --c0: #2563c9; --c0-faint: #a9c4ef; --c1: #d9660a; --c2: #1a8a55;
  --c3: #b8327a; --c4: #8a94a0; --c5: #7a4fc9; --c6: #0b8a9e; --c7: #8a6a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --card: #181d24; --text: #e6eaef; --quiet: #9aa5b1;
    --line: #303843; --grid: #262d36; --note: #3a2f12; --note-text: #f3d48a;
    --c0: #6ba4ff; --c0-faint: #34557f; --c1: #ff9d4d; --c2: #4fcf90;
    --c3: #f07ab5; --c4: #7d8894; --c5: #b394ff; --c6: #43c6d9; --c7: #d9b44a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 20px 16px 48px; }
h1 { font-size: 1.5rem; margin: 0 0 12px; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 32px 0 8px; }
h3 { font-size: 1rem; margin: 20px 0 6px; }
small, .hint, summary { color: var(--quiet); font-size: .85rem; }
.notes {
  margin: 0 0 16px; padding: 8px 12px 8px 28px; border-radius: 8px;
  background: var(--note); color: var(--note-text);
}
.tiles {
  display: grid; gap: 10px; margin: 0 0 14px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 140px), 1fr));
}
.tile, figure, pre, .pairs, .wide {
  background: var(--card); border: 1px solid var(--line); border-radius: 8px;
}
.tile { padding: 10px 12px; }
.tile dt { color: var(--quiet); font-size: .85rem; }
.tile dd { margin: 0; }
.tile b {
  display: block; font-size: 1.15rem; line-height: 1.35;
  white-space: nowrap;
}
.tile small { display: block; line-height: 1.3; }
.facts {
  display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px;
  margin: 0 0 20px; font-size: .9rem;
}
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.charts {
  display: grid; gap: 14px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr));
}
.charts > :last-child:nth-child(odd) { grid-column: 1 / -1; }
figure { margin: 0; padding: 12px 14px; min-width: 0; }
figcaption { font-weight: 600; }
figcaption small { font-weight: 400; }
.legend { margin: 2px 0 4px; font-size: .85rem; color: var(--quiet); }
.legend > span { margin-right: 14px; white-space: nowrap; }
.dot {
  display: inline-block; width: 10px; height: 10px; border-radius: 50%;
  margin-right: 6px;
}
svg.static { display: block; width: 100%; height: auto; }
.static text { font: 12px system-ui, sans-serif; fill: var(--quiet); }
@media (max-width: 520px) { .static text { font-size: 16px; } }
.static .grid { stroke: var(--grid); }
.static .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.static .faint { stroke-width: 1; opacity: .4; }
.static .mark { stroke: var(--card); stroke-width: 1; }
.static .cell { fill: var(--c0); }
.static text.on-dark { fill: var(--card); }
.static text.on-light { fill: var(--text); }
.live { display: none; width: 100%; }
.drawn > .live { display: block; }
.drawn > svg.static { display: none; }
details { margin-top: 4px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: 4px 10px; text-align: left; vertical-align: top; }
tr + tr > *, tbody tr:first-child > * { border-top: 1px solid var(--grid); }
thead th { color: var(--quiet); font-weight: 500; }
tbody th { font-weight: 500; }
.numbers td, .numbers thead th + th {
  text-align: right; font-variant-numeric: tabular-nums;
}
.wide { overflow-x: auto; }
.samples td { white-space: nowrap; }
.samples td:last-child { white-space: normal; min-width: 18rem; }
.pairs { border-collapse: separate; border-spacing: 0; }
.pairs th { width: 30%; }
.pairs th, .pairs td { overflow-wrap: anywhere; }
pre { margin: 0; padding: 12px 14px; overflow-x: auto; font-size: .85rem; }
)css";
}

const char* page_script() {
  return R"js(
(() => {
  const root = document.documentElement;
  const css = name =>
    getComputedStyle(root).getPropertyValue('--' + name).trim();
  const text = document.getElementById('specs').textContent;
  let views = [];

  function theme() {
    const axis = {
      labelColor: css('quiet'), titleColor: css('quiet'),
      gridColor: css('grid'), domain: false, tickColor: css('line'),
      labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400,
    };
    return {
      background: null, font: 'system-ui, sans-serif', axis,
      view: {stroke: null}, rule: {color: css('text')},
      legend: {disable: true},  // the page has its own
    };
  }

  async function draw() {
    for (const view of views) view.finalize();
    views = [];
    const specs = JSON.parse(text, (key, value) =>
      /^@(c\d[a-z-]*|card|text)$/.test(value) ? css(value.slice(1)) : value);
    for (const [id, spec] of Object.entries(specs)) {
      const box = document.getElementById(id);
      box.parentElement.classList.add('drawn');  // gives the box a width
      try {
        views.push(await vegaEmbed(box, spec, {
          actions: false, renderer: 'svg', config: theme(),
          tooltip: {theme: dark.matches ? 'dark' : 'light'},
        }));
      } catch (error) {
        box.parentElement.classList.remove('drawn');
        console.error(id, error);
      }
    }
    root.dataset.charts = views.length;
  }

  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', draw);
  draw();
})();
)js";
}

}  // namespace kexue::report
