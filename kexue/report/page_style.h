// What every page has: one style sheet, one script that draws its charts.
#pragma once

namespace kexue::report {

// Colours of both themes are CSS variables; charts name them.
const char* page_style();
// Draws the Vega-Lite specs of the element #specs into the elements they name.
const char* page_script();

}  // namespace kexue::report
