/** Texts of every map: `key: [Chinese, English]`. */
export default {
  "map.zoom_in": ["放大", "Zoom in"],
  "map.zoom_out": ["缩小", "Zoom out"],
};
