"""Pictures for people: heatmap, boxes, panel, plots and the HTML report; arrays and plain values in, pictures out."""
