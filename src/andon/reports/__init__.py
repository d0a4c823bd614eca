"""What people look at: pictures, plots and pages, and the folders they are written into."""
